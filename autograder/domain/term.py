"""The term: what is due when, what it weighs, and what being late costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class LatePolicy:
    """What being late costs.

    Attributes:
        grace_s: seconds after the deadline that are not late: for a slow network, not for a slow student.
        per_day: share of *all* points of the assignment, written ones included, for every day begun.
        days: after so many days nothing is taken in to be graded.
    """

    grace_s: float = 900.0
    per_day: float = 0.1
    days: int = 5

    def days_late(self, received: datetime, due: datetime) -> int:
        """Days begun since the deadline; 0 within the grace.

        Args:
            due: in the course's zone: a day ends when its clocks show the deadline's time again, as for `closes`.
        """
        late_s = (received.astimezone(UTC) - due.astimezone(UTC)).total_seconds()
        if late_s <= self.grace_s:
            return 0
        days = max(int(late_s // DAY_S), 1)  # no fewer: no clock is put back by a day
        while received.astimezone(UTC) > (due + timedelta(days=days)).astimezone(UTC):
            days += 1
        return days

    def deduction(self, days_late: int, attainable: float) -> float:
        """Points taken off, of those that the assignment has in all."""
        return min(self.per_day * days_late, 1.0) * attainable

    def closes(self, due: datetime) -> datetime:
        """From then on nothing is taken in to be graded."""
        return due + max(timedelta(days=self.days), timedelta(seconds=self.grace_s))


@dataclass(frozen=True, slots=True)
class Slot:
    """One assignment's place in the term.

    Attributes:
        due: with a time zone.
        weight: relative to what belongs to the same part of the course.
        part: of the course, one of the term's shares.
    """

    released: datetime
    due: datetime
    weight: float = 1.0
    part: str = "assignments"


@dataclass(frozen=True, slots=True)
class Term:
    """`course.toml`.

    Attributes:
        shares: part of the course → its share of the mark; they add up to 1.
        slots: assignment → its place; what has none is not due.
    """

    title: str
    name: str
    timezone: str
    shares: Mapping[str, float]
    late: LatePolicy = field(default_factory=LatePolicy)
    slots: Mapping[str, Slot] = field(default_factory=dict)

    def share(self, slug: str) -> float:
        """Of the whole course's mark; 0 for what is not in the calendar."""
        if slug not in self.slots:
            return 0.0
        mine = self.slots[slug]
        whole = sum(s.weight for s in self.slots.values() if s.part == mine.part)
        return self.shares.get(mine.part, 0.0) * mine.weight / whole if whole else 0.0
