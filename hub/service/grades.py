"""What counts for each student, what stands out, and the tables that other systems import.

Of a student's submissions the one handed in last counts, as in nbgrader; handing in known bytes again makes them the
last. A review's points stand in for the automatic ones; the newest review counts. What being late costs is taken off after
that, and the points never fall below zero.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from autograder.api import Assignment, Entry, Purpose
from hub.service.access import Desk
from hub.service.deadlines import Late
from hub.service.wording import BY_PEOPLE, OURS, UNDECIDED
from hub.spreadsheet import cell

_CHUNK = 1000
_OUTLIER = 3.5  # of the robust z-score; Iglewicz & Hoaglin, How to Detect and Handle Outliers, 1993
_MAD_TO_SIGMA = 1.4826  # of a normal distribution


@dataclass(frozen=True, slots=True)
class Standing:
    """What counts for one student.

    Attributes:
        points: after reviews and deductions; None while nothing is graded, by people where they alone give points.
        late: what its being late costs.
    """

    entry: Entry
    points: float | None
    reviewed: bool
    late: Late | None = None


def every(desk: Desk, **filters: Any) -> Iterator[Entry]:
    """All entries, a chunk at a time."""
    offset = 0
    while True:
        chunk = desk.ledger.entries(desk.settings.course, limit=_CHUNK, offset=offset, **filters)
        yield from chunk
        if len(chunk) < _CHUNK:
            return
        offset += _CHUNK


def standings(desk: Desk, slug: str) -> list[Standing]:
    """One per student, by name."""
    graded = {e.id: e for e in every(desk, assignment=slug, purpose=Purpose.GRADE)}
    last: dict[str, Entry] = {}
    for receipt in desk.ledger.receipts(desk.settings.course, assignment=slug):
        if receipt.submission in graded:
            last[receipt.student] = graded[receipt.submission]
    late = desk.deadlines.every(slug)
    return [_standing(desk, last[name], late.get(last[name].id)) for name in sorted(last)]


def _standing(desk: Desk, entry: Entry, late: Late | None) -> Standing:
    reviews = desk.ledger.reviews(entry.id)
    points = float(reviews[-1]["points"]) if reviews else entry.score if entry.max_score else None
    if late is not None and points is not None:
        points = max(points - late.points, 0.0)
    return Standing(entry, points, bool(reviews), late)


def by_people(desk: Desk, entry: Entry) -> dict[str, Any] | None:
    """A verdict beside which a review can stand where the grader gave up: nothing of it is decided; None without a review."""
    assignment = desk.catalogue.get(entry.assignment)
    if assignment is None or entry.state != "needs-staff" or not desk.ledger.reviews(entry.id):
        return None
    none = {"points": 0.0, "verdict": "grader-failed", "sentence": BY_PEOPLE, "evidence": {}}
    rows = [
        none | {"id": c.id, "title": c.title, "max_points": c.points, "public": c.public} for c in assignment.criteria
    ]
    about = {"assignment": entry.assignment, "submission": entry.name, "submission_sha256": entry.sha256}
    times = {"wall_s": 0.0, "overhead_s": 0.0}
    return (
        about | times | {"score": 0.0, "max_score": assignment.max_score, "criteria": rows, "machine": {}, "engine": {}}
    )


def criteria(desk: Desk, slug: str, counting: list[Standing]) -> list[dict[str, Any]]:
    """Criterion results of what counts."""
    ids = {s.entry.id for s in counting}
    return [row for row in desk.ledger.criteria(desk.settings.course, slug) if row["submission"] in ids]


def failing(assignment: Assignment, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per criterion: how many reached all points, and which verdicts the others got; most missed first."""
    titles = {c.id: c.title for c in assignment.criteria}
    table = []
    for identity in dict.fromkeys(r["criterion"] for r in rows):
        mine = [r for r in rows if r["criterion"] == identity]
        missed = [r for r in mine if r["verdict"] != "passed" or not r["points"] >= r["max_points"]]
        verdicts: dict[str, int] = {}
        for row in missed:
            verdicts[row["verdict"]] = verdicts.get(row["verdict"], 0) + 1
        table.append(
            {
                "title": titles.get(identity, identity),
                "all": len(mine),
                "missed": len(missed),
                "verdicts": sorted(verdicts.items(), key=lambda item: -item[1]),
            }
        )
    return sorted(table, key=lambda row: -row["missed"])


def speedups(assignment: Assignment, rows: list[dict[str, Any]]) -> dict[str, list[tuple[int, float]]]:
    """Title of a timed criterion → (submission, measured speedup)."""
    titles = {c.id: c.title for c in assignment.criteria}
    found: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        value = row["speedup"]
        if value is not None and 0 < value < math.inf:
            found.setdefault(titles.get(row["criterion"], row["criterion"]), []).append((row["submission"], value))
    return found


def opponents(assignment: Assignment, titles: Iterable[str]) -> dict[str, str]:
    """Title → what was timed beside the submissions, in words; claims are against a team's own program."""
    known = {c.title: c.opponent for c in assignment.criteria}
    unknown = "the team's baseline" if assignment.project else "the reference"
    return {title: known.get(title, unknown) for title in titles}


def outliers(points: list[tuple[int, float]]) -> dict[int, float]:
    """Submissions whose speedup is far from the others', by the median of deviations, in logarithms."""
    if len(points) < 5:
        return {}
    logs = [math.log(value) for _, value in points]
    middle = median(logs)
    spread = max(_MAD_TO_SIGMA * median(abs(x - middle) for x in logs), 0.05)  # 5 %: duels do not resolve less
    return {i: v for (i, v), x in zip(points, logs, strict=True) if abs(x - middle) / spread > _OUTLIER}


def needs_a_look(
    desk: Desk, assignment: Assignment, counting: list[Standing], rows: list[dict[str, Any]]
) -> list[tuple[Entry, str]]:
    """Submissions that people should see, each with the reason."""
    reasons: dict[int, list[str]] = {}
    for standing in counting:
        if standing.entry.state == "needs-staff":
            reasons.setdefault(standing.entry.id, []).append(
                (standing.entry.problem or "the grader gave up").rstrip(".")
            )
    for row in rows:
        if row["verdict"] in OURS:
            reasons.setdefault(row["submission"], []).append(f"undecided: {row['verdict']}")
        elif row["verdict"] == "forbidden":
            reasons.setdefault(row["submission"], []).append("broke the protocol of the grader")
    for title, points in speedups(assignment, rows).items():
        for identity, value in outliers(points).items():
            reasons.setdefault(identity, []).append(f"{title}: {value:.3g}× is far from what others reach")
    by_id = {s.entry.id: s.entry for s in counting}
    return [(by_id[i], "; ".join(dict.fromkeys(words))) for i, words in reasons.items() if i in by_id]


# exports


def undecided(rows: list[dict[str, Any]]) -> dict[int, list[str]]:
    """Submission → criteria that have no points yet for reasons that are ours, each with its verdict."""
    found: dict[int, list[str]] = {}
    for row in rows:
        if row["verdict"] in UNDECIDED:
            found.setdefault(row["submission"], []).append(f"{row['criterion']}: {row['verdict']}")
    return found


def export(desk: Desk, assignment: Assignment, style: str) -> str:
    """A CSV file: as Canvas or Moodle import it, or `full`, for people.

    Students without a grade are left out, and where part of a grade could not be decided yet and nobody has reviewed it,
    the points stay empty, so that nothing is overwritten by 0. What is imported are the points that count, after
    reviews; Moodle's file and the full one show the automatic points and the review beside them, and what is undecided,
    while Canvas would take every further column for a further assignment.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    title, most = cell(assignment.title), f"{assignment.attainable:g}"
    if style == "canvas":
        writer.writerow(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title])
        writer.writerow(["    Points Possible", "", "", "", "", most])
    elif style == "moodle":
        writer.writerow(
            ["Username", title, "Maximum grade", "Automatic points", "Review", "Late deduction", "Feedback comments"]
        )
    else:
        writer.writerow(
            [
                "Student",
                "Submission",
                "Automatic points",
                "Review",
                "Days late",
                "Taken off",
                "Counts",
                "Maximum",
                "Reviewed by",
                "Reason",
                "Undecided",
            ]
        )
    counting = standings(desk, assignment.slug)
    open_still = undecided(criteria(desk, assignment.slug, counting))
    for s in counting:
        if s.points is None:
            continue
        reviews = desk.ledger.reviews(s.entry.id) if s.reviewed else []
        by, reason = (cell(reviews[-1]["by"]), cell(reviews[-1]["reason"])) if reviews else ("", "")
        still = "" if s.reviewed else "; ".join(open_still.get(s.entry.id, ()))
        name, points = cell(s.entry.student), "" if still else f"{s.points:g}"
        automatic = "" if s.entry.score is None else f"{s.entry.score:g}"
        review = f"{float(reviews[-1]['points']):g}" if s.reviewed else ""
        days, off = (str(s.late.days), f"{s.late.points:g}") if s.late else ("", "")
        if style == "canvas":
            writer.writerow([name, "", "", name, "", points])
        elif style == "moodle":
            writer.writerow(
                [name, points, most, automatic, review, off, f"Not decided yet: {still}" if still else reason]
            )
        else:
            writer.writerow([name, s.entry.id, automatic, review, days, off, points, most, by, reason, still])
    return out.getvalue()
