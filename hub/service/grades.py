"""What counts for each student, what stands out, what a regrade changed, and the tables that other systems import.

Of a student's submissions the one handed in last counts, as in nbgrader; handing in known bytes again makes them the
last. A review's points stand in for the automatic ones; the newest review counts.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

from autograder.api import Assignment, Entry, Purpose
from hub.service.access import Desk
from hub.service.identity import Person
from hub.service.wording import OURS

_CHUNK = 1000
_OUTLIER = 3.5  # of the robust z-score; Iglewicz & Hoaglin, How to Detect and Handle Outliers, 1993
_MAD_TO_SIGMA = 1.4826  # of a normal distribution
SNAPSHOT = "regrade"  # kind of artefact: the scores before a regrade


@dataclass(frozen=True, slots=True)
class Standing:
    """What counts for one student.

    Attributes:
        points: after reviews; None while nothing is graded.
    """

    entry: Entry
    points: float | None
    reviewed: bool


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
    return [_standing(desk, last[name]) for name in sorted(last)]


def _standing(desk: Desk, entry: Entry) -> Standing:
    reviews = desk.ledger.reviews(entry.id)
    return Standing(entry, float(reviews[-1]["points"]) if reviews else entry.score, bool(reviews))


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
        missed = [r for r in mine if not r["points"] >= r["max_points"]]
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
            reasons.setdefault(standing.entry.id, []).append(standing.entry.problem or "the grader gave up")
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


# regrades


def preview(desk: Desk, slug: str) -> list[dict[str, Any]]:
    """What a regrade would queue."""
    return [
        {"id": s.entry.id, "student": s.entry.student, "state": str(s.entry.state), "score": s.entry.score}
        for s in standings(desk, slug)
        if s.entry.state in ("graded", "needs-staff")
    ]


def regrade_all(desk: Desk, slug: str, person: Person) -> list[dict[str, Any]]:
    """Notes the scores, then queues; every old grade stands until its new one is recorded."""
    rows = preview(desk, slug)
    now = datetime.now(UTC)
    desk.ledger.put_artefact(
        desk.settings.course, SNAPSHOT, slug, "", now.isoformat(), json.dumps(rows).encode(), person.name
    )
    for row in rows:
        desk.ledger.regrade(row["id"], by=person.name)
    desk.grader.wake()
    return rows


def difference(desk: Desk, slug: str) -> list[dict[str, Any]]:
    """The last regrade of an assignment: score before and now, largest change first; empty when there was none."""
    kept = desk.ledger.artefact(desk.settings.course, SNAPSHOT, slug)
    table = []
    for row in json.loads(kept) if kept else []:
        entry = desk.ledger.entry(row["id"])
        if entry is not None:
            done = entry.state in ("graded", "needs-staff")
            before, now = row["score"], entry.score
            change = now - before if done and before is not None and now is not None else None
            table.append({"entry": entry, "before": before, "now": now if done else None, "change": change})
    return sorted(table, key=lambda r: -abs(r["change"] or 0))


# exports


def export(desk: Desk, assignment: Assignment, style: str) -> str:
    """CSV as Canvas or Moodle import it; students without a grade are left out, so that nothing is overwritten by 0."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    title = cell(assignment.title)
    rows = [(s, s.points) for s in standings(desk, assignment.slug) if s.points is not None]
    if style == "canvas":
        writer.writerow(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title])
        writer.writerow(["    Points Possible", "", "", "", "", f"{assignment.max_score:g}"])
        for s, points in rows:
            name = cell(s.entry.student)
            writer.writerow([name, "", "", name, "", f"{points:g}"])
    else:
        writer.writerow(["Username", title, "Maximum grade", "Feedback comments"])
        for s, points in rows:
            reviews = desk.ledger.reviews(s.entry.id)
            comment = cell(reviews[-1]["reason"]) if reviews else ""
            writer.writerow([cell(s.entry.student), f"{points:g}", f"{assignment.max_score:g}", comment])
    return out.getvalue()


def cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula.

    Source: OWASP, CSV Injection.
    """
    flat = "".join(c if c.isprintable() else " " for c in text)
    return f"'{flat}" if flat.lstrip()[:1] in ("=", "+", "-", "@") and flat else flat
