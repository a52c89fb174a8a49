"""What a course keeps beside the grades: reviews, extensions, artefacts, limits, the audit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from autograder.errors import LedgerError
from autograder.ledger import audit
from autograder.ledger.blobs import Blobs
from autograder.ledger.database import Database, retried
from autograder.ledger.models import Artefact, AuditRow, Bucket, CriterionRow, Extension, Review, Submission, as_dict


class CourseRecords:
    """The part of the ledger that is not the queue."""

    database: Database
    blobs: Blobs
    clock: Callable[[], datetime]

    # reviews and extensions

    def review(self, identity: int, *, by: str, points: float, reason: str) -> None:
        """A TA's points beside the grade; all reviews are kept, the newest counts.

        Raises:
            LedgerError: unknown submission.
        """
        with self.database.writes() as session:
            if session.get(Submission, identity) is None:
                raise LedgerError(f"there is no submission {identity}")
            session.add(Review(submission=identity, by=by, points=points, reason=reason, at=self.clock()))
            about = f"submission {identity}"
            audit.append(session, self.clock(), by, "reviewed", about, points=points, reason=reason)

    def reviews(self, identity: int) -> list[dict[str, Any]]:
        """Reviews, oldest first."""
        query = select(Review).where(Review.submission == identity).order_by(Review.id)
        with self.database.reads() as session:
            return [as_dict(r) for r in session.scalars(query)]

    @retried
    def extend(self, course: str, assignment: str, student: str, *, until: datetime, by: str) -> None:
        """Gives one student a later deadline."""
        with self.database.writes() as session:
            session.merge(Extension(course=course, assignment=assignment, student=student, until=until, by=by))
            about = f"{assignment} of {student}"
            audit.append(session, self.clock(), by, "extended", about, until=until.isoformat())

    def extension(self, course: str, assignment: str, student: str) -> datetime | None:
        """A student's own deadline, if there is one."""
        with self.database.reads() as session:
            found = session.get(Extension, (course, assignment, student))
            return found.until if found else None

    def extensions(self, course: str, assignment: str) -> dict[str, datetime]:
        """Student → their own deadline, where there is one."""
        query = select(Extension.student, Extension.until).where(
            Extension.course == course, Extension.assignment == assignment
        )
        with self.database.reads() as session:
            return {student: until for student, until in session.execute(query)}

    def received_after(self, course: str, assignment: str, moment: datetime) -> list[tuple[int, str, datetime]]:
        """Submissions for a grade whose bytes first came later: id, student, when."""
        query = select(Submission.id, Submission.student, Submission.received_at).where(
            Submission.course == course,
            Submission.assignment == assignment,
            Submission.purpose == "grade",
            Submission.received_at > moment,
        )
        with self.database.reads() as session:
            return [(i, student, at) for i, student, at in session.execute(query)]

    def criteria(self, course: str, assignment: str) -> list[dict[str, Any]]:
        """Every criterion of every newest grade, for plots: student, submission, criterion, points, verdict, speedup."""
        query = (
            select(Submission.student, Submission.id, CriterionRow)
            .join(CriterionRow, CriterionRow.grade == Submission.grade)
            .where(Submission.course == course, Submission.assignment == assignment, Submission.purpose == "grade")
            .order_by(Submission.id)
        )
        with self.database.reads() as session:
            return [{"student": s, "submission": i, **as_dict(c)} for s, i, c in session.execute(query)]

    # artefacts

    def put_artefact(
        self, course: str, kind: str, assignment: str, student: str, stamp: str, content: bytes, by: str
    ) -> None:
        """Stores a release or a feedback; the newest of a key is current, none is deleted.

        Raises:
            LedgerError: nothing was stored.
        """
        sha256 = self.blobs.put(content)
        with self.database.writes() as session:
            session.add(
                Artefact(
                    course=course, kind=kind, assignment=assignment, student=student, stamp=stamp, sha256=sha256,
                    size=len(content), at=self.clock(), withdrawn=False,
                )
            )  # fmt: skip
            audit.append(session, self.clock(), by, kind, f"{assignment} {student}".strip(), sha256=sha256)

    def artefact(self, course: str, kind: str, assignment: str, student: str = "", stamp: str = "") -> bytes | None:
        """The newest content of a key, or None; an empty stamp takes whichever is newest."""
        query = self._current(course, kind).where(Artefact.assignment == assignment, Artefact.student == student)
        if stamp:
            query = query.where(Artefact.stamp == stamp)
        with self.database.reads() as session:
            found = session.scalars(query.order_by(Artefact.id.desc())).first()
            digest = found.sha256 if found else None
        return self.blobs.get(digest) if digest else None

    def artefacts(
        self, course: str, kind: str, *, assignment: str | None = None, student: str | None = None
    ) -> list[dict[str, Any]]:
        """The newest of each key."""
        query = self._current(course, kind)
        if assignment is not None:
            query = query.where(Artefact.assignment == assignment)
        if student is not None:
            query = query.where(Artefact.student == student)
        with self.database.reads() as session:
            rows = [as_dict(r) for r in session.scalars(query.order_by(Artefact.id))]
        return list(
            {(r["assignment"], r["student"], r["stamp"] if kind != "released" else ""): r for r in rows}.values()
        )

    def withdraw_artefact(self, course: str, kind: str, assignment: str, by: str) -> None:
        """Hides all of a kind of an assignment."""
        key = (Artefact.course == course, Artefact.kind == kind, Artefact.assignment == assignment)
        with self.database.writes() as session:
            session.execute(update(Artefact).where(*key).values(withdrawn=True))
            audit.append(session, self.clock(), by, f"withdrew {kind}", assignment)

    @staticmethod
    def _current(course: str, kind: str) -> Any:
        return select(Artefact).where(Artefact.course == course, Artefact.kind == kind, Artefact.withdrawn.is_(False))

    # limits

    @retried
    def spend(self, bucket: str, *, capacity: float, refill_per_s: float) -> float:
        """Takes one token.

        Returns:
            0.0 when it was taken, else the seconds until there is one.
        """
        now = self.clock()
        with self.database.writes() as session:
            row = session.get(Bucket, bucket, with_for_update=True)
            if row is None:
                row = Bucket(name=bucket, level=capacity, at=now)
                session.add(row)
            row.level = min(capacity, row.level + max((now - row.at).total_seconds(), 0.0) * refill_per_s)
            row.at = now
            if row.level < 1:
                return (1 - row.level) / refill_per_s if refill_per_s > 0 else float("inf")
            row.level -= 1
            return 0.0

    def refund(self, bucket: str, *, capacity: float) -> None:
        """Gives a token back: a failure of ours costs nobody one."""
        with self.database.writes() as session:
            row = session.get(Bucket, bucket, with_for_update=True)
            if row is not None:
                row.level = min(capacity, row.level + 1)

    # audit

    def note(self, who: str, what: str, about: str, **detail: Any) -> None:
        """Adds a row to the audit."""
        with self.database.writes() as session:
            audit.append(session, self.clock(), who, what, about, **detail)

    def audit(self, *, limit: int = 200, offset: int = 0) -> list[dict[str, Any]]:
        """The log, newest first."""
        query = select(AuditRow).order_by(AuditRow.seq.desc()).limit(limit).offset(offset)
        with self.database.reads() as session:
            return [as_dict(r) for r in session.scalars(query)]

    def verify_audit(self) -> int:
        """Rows whose chain holds.

        Raises:
            LedgerError: the log was changed by hand; says where.
        """
        with self.database.reads() as session:
            return audit.verify(session)
