"""What is due when, for whom, and what being late costs: one place that pages, exports, gradebook and door ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from autograder.api import Entry, Ledger, Term
from hub.service.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Late:
    """A late submission.

    Attributes:
        points: taken off, of all that the assignment has, written ones included.
    """

    days: int
    points: float

    @property
    def words(self) -> str:
        """For the student."""
        return f"Handed in {self.days} day{'s' if self.days != 1 else ''} late: {self.points:g} points are taken off."


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Of one course. Late is when these bytes were first received; an extension moves the deadline, never forward."""

    ledger: Ledger
    course: str
    catalogue: Catalogue

    @property
    def term(self) -> Term | None:
        """The calendar, if the course has one."""
        return self.catalogue.term()

    def due(self, slug: str, student: str) -> datetime | None:
        """One student's deadline."""
        term = self.term
        if term is None or slug not in term.slots:
            return None
        own = self.ledger.extension(self.course, slug, student)
        return max(filter(None, (term.slots[slug].due, own))).astimezone(ZoneInfo(term.timezone))

    def closes(self, slug: str, student: str) -> datetime | None:
        """From when on nothing more is taken in to be graded."""
        due, term = self.due(slug, student), self.term
        return term.late.closes(due) if term is not None and due is not None else None

    def of(self, entry: Entry) -> Late | None:
        """What one submission's being late costs."""
        return self._late(entry.assignment, self.due(entry.assignment, entry.student), entry.received_at)

    def now(self, slug: str, student: str) -> Late | None:
        """What handing in at this moment would cost."""
        return self._late(slug, self.due(slug, student), self.ledger.clock())

    def every(self, slug: str) -> dict[int, Late]:
        """Submission → what its being late costs, for all of an assignment that are late."""
        term = self.term
        if term is None or slug not in term.slots:
            return {}
        due = term.slots[slug].due
        own = self.ledger.extensions(self.course, slug)
        rows = self.ledger.received_after(self.course, slug, due + timedelta(seconds=term.late.grace_s))
        found = {i: self._late(slug, max(due, own.get(student, due)), at) for i, student, at in rows}
        return {i: late for i, late in found.items() if late is not None}

    def _late(self, slug: str, due: datetime | None, received: datetime) -> Late | None:
        term, assignment = self.term, self.catalogue.get(slug)
        if term is None or due is None or assignment is None:
            return None
        days = term.late.days_late(received, due.astimezone(ZoneInfo(term.timezone)))
        if not days:
            return None
        return Late(days, term.late.deduction(days, assignment.max_score + assignment.written_points))
