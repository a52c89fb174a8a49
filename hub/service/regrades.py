"""Regrades: what one would queue, what it would change, and the decision to make it live."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from autograder.api import Entry
from hub.service.access import Desk
from hub.service.grades import standings
from hub.service.identity import Person

SNAPSHOT = "regrade"  # kind of artefact: the scores before a regrade
_FINAL = ("graded", "needs-staff")


def preview(desk: Desk, slug: str) -> list[dict[str, Any]]:
    """What a regrade would queue."""
    return [
        {"id": s.entry.id, "student": s.entry.student, "state": str(s.entry.state), "score": s.entry.score}
        for s in standings(desk, slug)
        if s.entry.state in _FINAL
    ]


def regrade_all(desk: Desk, slug: str, person: Person, *, staged: bool) -> list[dict[str, Any]]:
    """Notes the scores, then queues; every old grade stands until its new one is recorded, or, staged, made live."""
    rows = preview(desk, slug)
    now = datetime.now(UTC)
    desk.ledger.put_artefact(
        desk.settings.course, SNAPSHOT, slug, "", now.isoformat(), json.dumps(rows).encode(), person.name
    )
    for row in rows:
        desk.ledger.regrade(row["id"], by=person.name, staged=staged)
    desk.grader.wake()
    return rows


def difference(desk: Desk, slug: str) -> list[dict[str, Any]]:
    """The last regrade of an assignment and all that is staged: score before and now, largest change first.

    Each row says where it stands: `under way`, `staged` (its `pick` names the verdict), `live`, or `unchanged`.
    """
    kept = desk.ledger.artefacts(desk.settings.course, SNAPSHOT, assignment=slug)
    began = max((row["at"] for row in kept), default=None)
    found = desk.ledger.artefact(desk.settings.course, SNAPSHOT, slug)
    before = {row["id"]: row["score"] for row in (json.loads(found) if found else [])}
    staged = desk.ledger.staged(desk.settings.course, slug)
    table = []
    for identity in before | staged:
        entry = desk.ledger.entry(identity)
        if entry is not None:
            table.append(_row(desk, entry, before.get(identity, entry.score), staged.get(identity), began))
    return sorted(table, key=lambda r: -abs(r["change"] or 0))


def _row(
    desk: Desk, entry: Entry, before: float | None, staged: dict[str, Any] | None, began: datetime | None
) -> dict[str, Any]:
    words: list[str] = []
    now, pick = entry.score, ""
    if staged is not None:
        before, now = entry.score, staged["score"]  # what counts at this moment, and what would
        where = "under way" if staged["grade"] is None else "staged"
        if staged["grade"] is not None:
            pick = f"{entry.id}:{staged['grade']}"
            words = changes(desk.ledger.grade_json(entry.id), staged["body"])
    elif entry.state not in _FINAL:
        where, now = "under way", None
    else:
        where = "live" if began and entry.graded_at and entry.graded_at > began else "unchanged"
    reviews = desk.ledger.reviews(entry.id)
    return {
        "entry": entry,
        "before": before,
        "now": now,
        "change": now - before if before is not None and now is not None else None,
        "where": where,
        "pick": pick,
        "words": words,
        "review": reviews[-1]["points"] if reviews else None,
    }


def changes(old: dict[str, Any] | None, new: dict[str, Any]) -> list[str]:
    """Criteria whose points or verdict differ, in words."""
    known = {c["id"]: c for c in (old or {"criteria": []})["criteria"]}
    words = []
    for c in new["criteria"]:
        was = known.get(c["id"])
        if was is None:
            words.append(f"{c['id']}: new, {c['verdict']} {c['points']:g}")
        elif (was["points"], was["verdict"]) != (c["points"], c["verdict"]):
            words.append(f"{c['id']}: {was['verdict']} {was['points']:g} → {c['verdict']} {c['points']:g}")
    gone = known.keys() - {c["id"] for c in new["criteria"]}
    return words + [f"{name}: gone" for name in sorted(gone)]


def picked(values: Iterable[Any]) -> dict[int, int]:
    """Submission → the verdict that was shown, of a form's fields.

    Raises:
        ValueError: a field is none of ours.
    """
    found = {}
    for value in values:
        submission, _, grade = str(value).partition(":")
        found[int(submission)] = int(grade)
        if not (0 < found[int(submission)] < 2**53 and 0 < int(submission) < 2**53):
            raise ValueError(value)
    return found
