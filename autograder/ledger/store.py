"""The ledger: every method is one transaction, and what it returns is on disk."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from autograder.domain.record import Entry, Lease, Purpose, Receipt, State
from autograder.errors import LedgerError
from autograder.ledger import audit, queue
from autograder.ledger.blobs import Blobs, close
from autograder.ledger.course import CourseRecords
from autograder.ledger.database import Database, retried
from autograder.ledger.machines import MachineRecords
from autograder.ledger.models import GradeRow, Member, ReceiptRow, Submission, Version
from autograder.ledger.staging import StagedGrades

FILE = "ledger.db"


def now_utc() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


class Ledger(StagedGrades, CourseRecords, MachineRecords):
    """Submissions, receipts, leases, grades. Safe to share between threads."""

    def __init__(self, database: Database, blobs: Blobs, clock: Callable[[], datetime] = now_utc) -> None:
        self.database, self.blobs, self.clock = database, blobs, clock

    @classmethod
    def open(
        cls,
        url: str = "",
        folder: Path = Path(".state/service"),
        clock: Callable[[], datetime] = now_utc,
        *,
        create: bool = True,
    ) -> Self:
        """Opens, and migrates where needed.

        Args:
            url: an SQLAlchemy URL; empty is SQLite in the folder.
            folder: where blobs lie (and SQLite).
            create: whether one that is not there is begun.

        Raises:
            LedgerError: the database or the folder does not open, or holds no ledger that one could look into.
        """
        if not create and not (folder / ("blobs" if url else FILE)).exists():
            raise LedgerError(f"{folder} holds no ledger: name the folder of the service (--state, AUTOGRADER_STATE)")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            blobs = Blobs(folder / "blobs")
            if not url:
                (folder / FILE).touch(mode=0o600)
                for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
                    close(folder / name)
        except OSError as error:
            raise LedgerError(f"{folder}: {error.strerror}") from error
        return cls(Database(url or f"sqlite:///{folder.resolve() / FILE}", create), blobs, clock)

    def close(self) -> None:
        """Lets the database go."""
        self.database.close()

    def ping(self) -> None:
        """Raises LedgerError unless the database answers."""
        with self.database.reads() as session:
            session.execute(select(1))

    # intake

    def submit(
        self, *, course: str, assignment: str, student: str, name: str, content: bytes, channel: str,
        purpose: Purpose = Purpose.GRADE, cores: int = 1, gpu: bool = False,
    ) -> Receipt:  # fmt: skip
        """Takes bytes in: file, then row, then receipt.

        Raises:
            LedgerError: nothing was taken in; the student must be told to submit again.
        """
        sha256 = self.blobs.put(content)
        return self._submit(course, assignment, student, name, sha256, len(content), channel, purpose, cores, gpu)

    @retried
    def _submit(
        self, course: str, assignment: str, student: str, name: str, sha256: str, size: int, channel: str,
        purpose: Purpose, cores: int, gpu: bool,
    ) -> Receipt:  # fmt: skip
        at = self.clock()
        with self.database.writes() as session:
            key = (
                Submission.course == course, Submission.assignment == assignment, Submission.student == student,
                Submission.sha256 == sha256, Submission.purpose == purpose,
            )  # fmt: skip
            row = session.scalars(select(Submission).where(*key)).first()
            known = row is not None
            if row is None:
                row = Submission(
                    course=course, assignment=assignment, version="", student=student, name=name, sha256=sha256,
                    size=size, purpose=purpose, received_at=at, cores=cores, gpu=gpu, token=0, grade=None,
                )  # fmt: skip
                queue.enqueue(session, at, row, queue.LIVE)
                session.add(row)
                session.flush()
            else:
                row.cores, row.gpu = cores, gpu  # as the assignment is now
                again = purpose is Purpose.TRY and row.state in (State.GRADED, State.STAFF)
                if again or (row.state == State.WAITING and not gpu):  # a try of known bytes is a new measurement
                    queue.enqueue(session, at, row, queue.LIVE)
            receipt = ReceiptRow(
                id=secrets.token_hex(16), submission=row.id, name=name, at=at, channel=channel, duplicate=known
            )
            session.add(receipt)
            about = f"submission {row.id}"
            audit.append(
                session, at, student, "submitted", about, receipt=receipt.id, sha256=sha256, assignment=assignment
            )
            return _receipt(receipt, row)

    def receipt(self, identity: str) -> Receipt | None:
        """One receipt by its id."""
        query = _receipts().where(ReceiptRow.id == identity)
        with self.database.reads() as session:
            found = session.execute(query).first()
            return _receipt(found[0], found[1]) if found else None

    def receipts(
        self, course: str, *, student: str | None = None, assignment: str | None = None, submission: int | None = None
    ) -> list[Receipt]:
        """Receipts, oldest first."""
        query = _receipts().where(Submission.course == course)
        if student is not None:
            query = query.where(Submission.student == student)
        if assignment is not None:
            query = query.where(Submission.assignment == assignment)
        if submission is not None:
            query = query.where(Submission.id == submission)
        with self.database.reads() as session:
            return [_receipt(r, s) for r, s in session.execute(query.order_by(ReceiptRow.at, ReceiptRow.id))]

    # reading

    def entries(
        self, course: str, *, assignment: str | None = None, student: str | None = None, state: State | None = None,
        purpose: Purpose | None = None, limit: int = 200, offset: int = 0,
    ) -> list[Entry]:  # fmt: skip
        """Submissions, newest first."""
        query = _entries().where(Submission.course == course)
        for column, value in (
            (Submission.assignment, assignment),
            (Submission.student, student),
            (Submission.state, state),
            (Submission.purpose, purpose),
        ):
            if value is not None:
                query = query.where(column == value)
        with self.database.reads() as session:
            return [
                _entry(s, g)
                for s, g in session.execute(query.order_by(Submission.id.desc()).limit(limit).offset(offset))
            ]

    def entry(self, identity: int) -> Entry | None:
        """One submission."""
        with self.database.reads() as session:
            found = session.execute(_entries().where(Submission.id == identity)).first()
            return _entry(found[0], found[1]) if found else None

    def content(self, identity: int) -> bytes:
        """The bytes as they were handed in, proved against their digest.

        Raises:
            LedgerError: unknown, missing or changed on disk.
        """
        entry = self.entry(identity)
        if entry is None:
            raise LedgerError(f"there is no submission {identity}")
        return self.blobs.get(entry.sha256)

    def grade_json(self, identity: int) -> dict[str, Any] | None:
        """The newest verdict, for staff."""
        query = select(GradeRow.body).join(Submission, Submission.grade == GradeRow.id).where(Submission.id == identity)
        with self.database.reads() as session:
            body = session.scalar(query)
        return json.loads(body) if body else None

    def position(self, identity: int) -> int:
        """How many are before it in the queue; 0 when it is next, or not waiting."""
        with self.database.reads() as session:
            row = session.get(Submission, identity)
            if row is None or row.state != State.QUEUED:
                return 0
            before = (Submission.priority < row.priority) | (
                (Submission.priority == row.priority)
                & ((Submission.turn < row.turn) | ((Submission.turn == row.turn) & (Submission.id < row.id)))
            )
            return session.scalar(select(func.count()).where(Submission.state == State.QUEUED, before)) or 0

    def counts(self) -> dict[str, int]:
        """Submissions by state."""
        with self.database.reads() as session:
            found = session.execute(select(Submission.state, func.count()).group_by(Submission.state))
            return {str(s): 0 for s in State} | {state: number for state, number in found}

    # leases

    def lease(
        self, holder: str, *, free: int, hold_s: float, sizes: queue.Sizes | None = None, gpu: bool = False,
        gpu_busy: bool = False, live_only: bool = False,
    ) -> Lease | None:  # fmt: skip
        """The next submission, for `hold_s` seconds; None when nothing waits that fits."""
        now = self.clock()
        with self.database.writes() as session:
            hold = timedelta(seconds=hold_s)
            return queue.lease(
                session, now, holder, free, hold, sizes=sizes, gpu=gpu, gpu_busy=gpu_busy, live_only=live_only
            )

    def renew(self, leases: Iterable[Lease], *, hold_s: float) -> list[Lease]:
        """Heartbeat; returns the leases that were lost."""
        with self.database.writes() as session:
            return queue.renew(session, self.clock() + timedelta(seconds=hold_s), leases)

    def record(self, held: Lease, grade: dict[str, Any], *, staff: str = "") -> bool:
        """Writes a verdict; False when it came too late and changed nothing."""
        with self.database.writes() as session:
            return queue.record(session, self.clock(), held, grade, staff=staff)

    def give_back(self, held: Lease, problem: str, *, charge: bool = True, wait_s: float = 0.0) -> State | None:
        """Returns a submission to the queue (or to staff) after a rest; None when the lease was lost already."""
        with self.database.writes() as session:
            wait = timedelta(seconds=wait_s)
            return queue.give_back(session, self.clock(), held, problem, charge=charge, wait=wait)

    def resize(self, held: Lease, *, cores: int, gpu: bool) -> None:
        """Returns a submission to the queue with what its assignment asks for now; changes nothing if the lease was lost."""
        with self.database.writes() as session:
            queue.resize(session, self.clock(), held, cores=cores, gpu=gpu)

    def escalate(self, held: Lease, problem: str) -> State | None:
        """Hands a submission to staff at once: no further try can help."""
        with self.database.writes() as session:
            return queue.give_back(session, self.clock(), held, problem, charge=True, tries=1)

    def sweep(self, dead: Iterable[str] = ()) -> list[int]:
        """Takes lapsed leases back."""
        with self.database.writes() as session:
            return queue.sweep(session, self.clock(), dead)

    def holders(self) -> list[str]:
        """Who holds leases now."""
        with self.database.reads() as session:
            return queue.holders(session)

    def hardware(self, *, gpu: bool, joined: bool = False) -> int:
        """Says whether a GPU is there, and whether one is new; returns how many submissions started or stopped waiting."""
        with self.database.writes() as session:
            return queue.hardware(session, gpu=gpu, joined=joined)

    def oversized(self, sizes: queue.Sizes) -> int:
        """Notes what waits and fits no node; returns how many were not noted before."""
        with self.database.writes() as session:
            return queue.oversized(session, sizes)

    def regrade(self, identity: int, *, by: str, staged: bool = False) -> bool:
        """Queues it again behind live work; the old grade stands until the new one is recorded.

        Args:
            staged: the old grade stands beyond that, until `make_live`.

        Returns:
            False when it is in the queue already; then that grading stays what it was.

        Raises:
            LedgerError: unknown.
        """
        with self.database.writes() as session:
            row = _row(session, identity)
            if row.state in (State.QUEUED, State.RUNNING, State.WAITING):
                return False
            queue.enqueue(session, self.clock(), row, queue.REGRADE, staged=staged)
            audit.append(session, self.clock(), by, "regrade", f"submission {identity}", staged=staged)
            return True

    def replace_grade(self, identity: int, grade: dict[str, Any], *, by: str) -> None:
        """Makes a verdict that staff have seen the one that counts; the old one stays in the database.

        Raises:
            LedgerError: unknown.
        """
        with self.database.writes() as session:
            queue.replace(session, self.clock(), _row(session, identity), grade, by)

    def latest(self, course: str, assignment: str) -> list[Entry]:
        """What counts: of every student the submission with the newest receipt, as in nbgrader."""
        receipts = (
            select(Submission.student, Submission.id)
            .join(ReceiptRow, ReceiptRow.submission == Submission.id)
            .where(
                Submission.course == course,
                Submission.assignment == assignment,
                Submission.purpose == Purpose.GRADE,
            )
            .order_by(ReceiptRow.at, ReceiptRow.id)
        )
        with self.database.reads() as session:
            newest = {student: identity for student, identity in session.execute(receipts)}
            query = _entries().where(Submission.id.in_(newest.values())).order_by(Submission.student)
            return [_entry(s, g) for s, g in session.execute(query)]

    # people

    @retried
    def enrol(self, course: str, name: str, role: str) -> None:
        """Adds somebody, or changes their role."""
        with self.database.writes() as session:
            known = session.get(Member, (course, name))
            if known is not None and known.role == role:
                return
            session.merge(Member(course=course, name=name, role=role, at=self.clock()))
            audit.append(session, self.clock(), name, "enrolled", course, role=role)

    def role(self, course: str, name: str) -> str | None:
        """Who somebody is in a course."""
        with self.database.reads() as session:
            found = session.get(Member, (course, name))
            return found.role if found else None

    def members(self, course: str) -> dict[str, str]:
        """Everybody and their role."""
        with self.database.reads() as session:
            return {
                m.name: m.role
                for m in session.scalars(select(Member).where(Member.course == course).order_by(Member.name))
            }

    @retried
    def version(self, course: str, assignment: str, digest: str) -> None:
        """Notes the content of an assignment when it is first seen."""
        with self.database.writes() as session:
            if session.get(Version, (course, assignment, digest)) is None:
                session.add(Version(course=course, assignment=assignment, digest=digest, at=self.clock()))


def _row(session: Session, identity: int) -> Submission:
    row = session.get(Submission, identity, with_for_update=True)
    if row is None:
        raise LedgerError(f"there is no submission {identity}")
    return row


def _receipts() -> Select[ReceiptRow, Submission]:
    return select(ReceiptRow, Submission).join(Submission, ReceiptRow.submission == Submission.id)


def _receipt(receipt: ReceiptRow, row: Submission) -> Receipt:
    return Receipt(
        receipt.id, row.id, row.course, row.assignment, row.student, receipt.name, row.sha256, row.size, receipt.at,
        receipt.channel, receipt.duplicate,
    )  # fmt: skip


def _entries() -> Select[Submission, GradeRow]:
    return select(Submission, GradeRow).outerjoin(GradeRow, Submission.grade == GradeRow.id)


def _entry(row: Submission, grade: GradeRow | None) -> Entry:
    return Entry(
        row.id, row.course, row.assignment, row.student, row.name, row.sha256, Purpose(row.purpose), State(row.state),
        row.received_at, row.tries, grade.score if grade else None, grade.max_score if grade else None, row.problem,
        grade.at if grade else None,
    )  # fmt: skip
