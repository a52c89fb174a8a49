"""`course.toml` → `Term`: the calendar, the weights and the late policy, beside the assignments."""

from __future__ import annotations

import os
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from autograder.course.load import course_folder
from autograder.course.tables import Tables, parsed
from autograder.domain.term import LatePolicy, Slot, Term

FILE = "course.toml"
_NUMBER = (int, float)


def term_file(course: Path | None = None) -> Path:
    """What AUTOGRADER_TERM names, else `course.toml` beside the assignments."""
    named = os.environ.get("AUTOGRADER_TERM", "")
    return Path(named) if named else (course or course_folder()) / FILE


def load_term(path: Path) -> Term | None:
    """Reads and checks the term; None where there is no such file, and then nothing is ever due.

    Raises:
        CourseError: with the file and the key that are wrong, or AUTOGRADER_TERM names a file that is not there.
    """
    return _Reader(path).term(parsed(path)) if path.is_file() or os.environ.get("AUTOGRADER_TERM") else None


class _Reader(Tables):
    """One `course.toml`."""

    def term(self, data: dict[str, Any]) -> Term:
        top = self.take(
            data,
            "",
            {"title": str, "term": str, "timezone": str, "shares": dict, "late": dict, "assignments": dict},
            ("title", "term", "timezone", "shares"),
        )
        zone = self.zone(top["timezone"])
        shares = self.take(top["shares"], "shares.", dict.fromkeys(top["shares"], _NUMBER))
        if not (abs(sum(shares.values()) - 1) <= 1e-9 and all(v >= 0 for v in shares.values())):  # NaN is refused, too
            self.refuse("shares", f"must be positive and add up to 1, not to {sum(shares.values()):g}")
        slots = {slug: self.slot(slug, row, zone) for slug, row in top.get("assignments", {}).items()}
        for slug, slot in slots.items():
            if slot.part != "assignments" and slot.part not in shares:
                self.refuse(f"assignments.{slug}.part", f"{slot.part!r} is none of {', '.join(shares)}")
        if slots and not sum(s.weight for s in slots.values()):
            self.refuse("assignments", "at least one must weigh something")
        return Term(top["title"], top["term"], top["timezone"], shares, self.late(top.get("late", {})), slots)

    def late(self, table: dict[str, Any]) -> LatePolicy:
        values = self.take(table, "late.", {"grace_minutes": _NUMBER, "per_day": _NUMBER, "days": int})
        for key, value in values.items():
            if not 0 <= value <= (1 if key == "per_day" else 1000):
                self.refuse(f"late.{key}", "must be a share from 0 to 1" if key == "per_day" else "must be 0 to 1000")
        usual = LatePolicy()
        return LatePolicy(
            60.0 * values.get("grace_minutes", usual.grace_s / 60),
            float(values.get("per_day", usual.per_day)),
            values.get("days", usual.days),
        )

    def slot(self, slug: str, row: Any, zone: ZoneInfo) -> Slot:
        where = f"assignments.{slug}"
        if not isinstance(row, dict):
            self.refuse(where, "must be a table { released = …, due = … }")
        day = (date, datetime)
        allowed: dict[str, type | tuple[type, ...]] = {"released": day, "due": day, "weight": _NUMBER, "part": str}
        parts = self.take(row, f"{where}.", allowed, ("released", "due"))
        if not 0 <= parts.get("weight", 1) < 1e6:
            self.refuse(f"{where}.weight", "must not be negative")
        released, due = (self.moment(parts[key], key, zone) for key in ("released", "due"))
        if not released < due:
            self.refuse(f"{where}.due", "must come after it is released")
        return Slot(released, due, float(parts.get("weight", 1)), parts.get("part", "assignments"))

    @staticmethod
    def moment(value: date, key: str, zone: ZoneInfo) -> datetime:
        """A time in the course's zone; a mere date means its first minute, or, for what is due, its last."""
        if not isinstance(value, datetime):
            value = datetime.combine(value, time(23, 59, 59) if key == "due" else time())
        return value if value.tzinfo else value.replace(tzinfo=zone)
