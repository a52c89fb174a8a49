"""Values as JSON, stripped for whoever looks."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from fastapi import HTTPException

from autograder.api import Entry, Grade, Receipt
from hub.service.access import Desk
from hub.service.identity import Person

# of a progress message, what a student may read; a failure of ours is described to staff only
_STUDENT_NEWS = ("submission", "phase", "criterion", "rounds", "speedup", "interval", "position", "state")


def finite(value: Any) -> Any:
    """JSON knows no infinity: an interval without an upper end has null there."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return value


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """With the time in ISO form."""
    return asdict(receipt) | {"received_at": receipt.received_at.isoformat()}


def entry_json(entry: Entry) -> dict[str, Any]:
    """With the times in ISO form."""
    return dict(finite(asdict(entry))) | {
        "purpose": str(entry.purpose),
        "state": str(entry.state),
        "received_at": entry.received_at.isoformat(),
        "graded_at": entry.graded_at.isoformat() if entry.graded_at else None,
    }


def news_json(news: dict[str, Any], person: Person) -> dict[str, Any]:
    """A progress message for whoever looks."""
    shown = news if person.staff else {k: news[k] for k in _STUDENT_NEWS if k in news}
    return dict(finite(shown))


def grade_of(desk: Desk, person: Person, submission: int) -> Grade | None:
    """The verdict; for students without what is hidden."""
    body = desk.ledger.grade_json(submission)
    if body is None:
        return None
    grade = Grade.from_json(body)
    return grade if person.staff else grade.for_student()


def grade_json(desk: Desk, person: Person, submission: int) -> dict[str, Any] | None:
    """The same as JSON."""
    grade = grade_of(desk, person, submission)
    return dict(finite(grade.to_json())) if grade is not None else None


def reviews_json(desk: Desk, submission: int) -> list[dict[str, Any]]:
    """Oldest first; the newest counts."""
    return [
        {"by": r["by"], "points": r["points"], "reason": r["reason"], "at": r["at"].isoformat()}
        for r in desk.ledger.reviews(submission)
    ]


def submission_json(desk: Desk, person: Person, submission: int) -> dict[str, Any]:
    """All about one submission."""
    entry = desk.own(person, submission)
    shown = entry_json(entry)
    if not person.staff and shown["problem"]:
        shown["problem"] = "Something failed on our side; it costs you nothing."
    late = desk.deadlines.of(entry)
    return shown | {
        "late": {"days": late.days, "points": late.points} if late else None,
        "position": desk.ledger.position(entry.id),
        "reviews": reviews_json(desk, entry.id),
        "grade": grade_json(desk, person, entry.id),
    }


def nothing_yet() -> HTTPException:
    """For a report that is not there yet."""
    return HTTPException(404, "There is no verdict yet; the submission's page shows how far it is.")
