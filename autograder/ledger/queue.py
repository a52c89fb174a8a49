"""Leases: who may grade what until when. A result counts only with the newest token of its submission."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.orm import Session, aliased

from autograder.domain.record import Lease, Purpose, State
from autograder.domain.verdict import Verdict
from autograder.ledger import audit
from autograder.ledger.models import Attempt, CriterionRow, GradeRow, ReceiptRow, Submission

TRIES = 3  # failures of ours before staff are asked
LIVE, REGRADE = 0, 1
TOO_LARGE = "it asks for more cores than any node has"
UNDECIDED = (Verdict.INCONCLUSIVE, Verdict.GRADER_FAILED)
NOW = timedelta()


@dataclass(frozen=True, slots=True)
class Sizes:
    """The cores of the largest node, and of the largest that a submission with a GPU can go to."""

    cores: int
    beside_gpu: int

    @classmethod
    def of(cls, nodes: Iterable[tuple[int, int]]) -> Sizes:
        """From the cores and GPUs of each; while there is no GPU, what needs one is tried on any node."""
        nodes = list(nodes)
        largest = max((cores for cores, _ in nodes), default=0)
        return cls(largest, max((cores for cores, gpus in nodes if gpus), default=largest))

    def hold(self) -> ColumnElement[bool]:
        """Whether a submission fits one of the nodes, now or when that is free."""
        return Submission.cores <= case((Submission.gpu.is_(True), self.beside_gpu), else_=self.cores)


def lease(
    session: Session,
    now: datetime,
    holder: str,
    free: int,
    hold: timedelta,
    *,
    sizes: Sizes | None,
    gpu: bool,
    gpu_busy: bool,
    live_only: bool,
) -> Lease | None:
    """The next in order: live before regrades, fair between students, then first come.

    A submission that asks for more cores than are free holds the queue up, so that small ones cannot starve it; one that
    asks for more than any node has holds up nobody. One that needs a GPU is tried on any machine while there is none: its
    speed waits, what can be said without is said at once.

    Args:
        sizes: of the nodes; None is one node of any size.
        gpu: whether a GPU is free.
        gpu_busy: whether there is one, but all are lent; what needs one waits for that.
    """
    query = select(Submission).where(Submission.state == State.QUEUED, Submission.not_before <= now)
    if not gpu:
        none = Submission.gpu.is_(False)
        query = query.where(none if gpu_busy else none | Submission.grade.is_(None))
    if sizes is not None:
        query = query.where(sizes.hold())
    if live_only:
        query = query.where(Submission.priority == LIVE)
    order = (Submission.priority, Submission.turn, Submission.id)
    row = session.scalars(query.order_by(*order).limit(1).with_for_update(skip_locked=True)).first()
    if row is None or row.cores > free:
        return None
    row.state, row.holder, row.lease_until = State.RUNNING, holder, now + hold
    row.token += 1
    row.tries += 1
    session.add(
        Attempt(submission=row.id, token=row.token, holder=holder, begun_at=now, ended_at=None, outcome="", problem="")
    )
    return Lease(
        row.id, row.token, row.tries, row.course, row.assignment, row.version, row.name, row.sha256,
        Purpose(row.purpose), row.cores, row.gpu and gpu, row.gpu and not gpu,
    )  # fmt: skip


def _mine(held: Lease) -> tuple[ColumnElement[bool], ...]:
    return Submission.id == held.submission, Submission.token == held.token, Submission.state == State.RUNNING


def renew(session: Session, until: datetime, leases: Iterable[Lease]) -> list[Lease]:
    """Puts deadlines off; returns those that were lost meanwhile."""
    lost = []
    for held in leases:
        done = session.execute(update(Submission).where(*_mine(held)).values(lease_until=until))
        if not done.rowcount:  # type: ignore[attr-defined]  # an UPDATE has one
            lost.append(held)
    return lost


def record(session: Session, now: datetime, held: Lease, grade: dict[str, Any], *, staff: str = "") -> bool:
    """Writes a verdict once; a late or a second one changes nothing.

    That of a staged regrade is kept beside the grade that counts, until staff decide; an undecided one replaces nothing
    that left less open: it is kept for the record, and staff look.

    Args:
        grade: the object of `grade --json`.
        staff: why staff must look at it, or empty.
    """
    submission = session.scalars(select(Submission).where(*_mine(held)).with_for_update()).first()
    if submission is None:
        end(session, now, held.submission, held.token, "late", "")
        return False
    row = GradeRow(
        submission=held.submission, token=held.token, at=now, score=grade["score"], max_score=grade["max_score"],
        body=json.dumps(grade, ensure_ascii=False),
    )  # fmt: skip
    session.add(row)
    session.flush()
    staged = submission.staged
    missed = sum(c["verdict"] in UNDECIDED for c in grade["criteria"])
    stands = bool(staff) and submission.grade is not None and _undecided(session, submission.grade) < missed
    if staged:
        submission.staged_grade = None if staff else row.id
    elif not stands:
        submission.grade, submission.staged_grade = row.id, None
        submission.version = grade.get("engine", {}).get("assignment_version", "")
    missing = any(c["verdict"] == Verdict.WAITING_FOR_HARDWARE for c in grade["criteria"])
    submission.state = staged or (State.STAFF if staff else State.WAITING if missing else State.GRADED)
    submission.tries = 0 if missing else submission.tries  # the machine that it waits for has all its own
    submission.holder, submission.lease_until, submission.priority, submission.staged = "", None, LIVE, ""
    submission.problem = f"graded again, but undecided: {staff}"[:2000] if staff and (staged or stands) else staff
    for c in grade["criteria"]:
        session.add(
            CriterionRow(
                grade=row.id, criterion=c["id"], points=c["points"], max_points=c["max_points"], verdict=c["verdict"],
                speedup=c["evidence"].get("speedup"),
            )
        )  # fmt: skip
    end(session, now, held.submission, held.token, "graded", staff)
    about = f"submission {held.submission}"
    what = "graded again, undecided" if stands or (staged and staff) else "staged" if staged else "graded"
    audit.append(session, now, "grader", what, about, score=row.score, max_score=row.max_score, token=held.token)
    return True


def _undecided(session: Session, grade: int) -> int:
    """Of an earlier verdict: criteria that our fault left open."""
    mine = (CriterionRow.grade == grade, CriterionRow.verdict.in_(UNDECIDED))
    return session.scalar(select(func.count()).select_from(CriterionRow).where(*mine)) or 0


def replace(session: Session, now: datetime, row: Submission, grade: dict[str, Any], by: str) -> None:
    """Makes a new verdict the one that counts; a grading under way loses its lease and changes nothing."""
    row.token += 1
    row.state, row.holder, row.lease_until, row.staged = State.RUNNING, by, None, ""
    session.flush()
    held = Lease(
        row.id, row.token, row.tries, row.course, row.assignment, row.version, row.name, row.sha256,
        Purpose(row.purpose), row.cores, row.gpu,
    )  # fmt: skip
    session.add(
        Attempt(submission=row.id, token=row.token, holder=by, begun_at=now, ended_at=None, outcome="", problem="")
    )
    record(session, now, held, grade)
    audit.append(session, now, by, "regraded", f"submission {row.id}", score=grade["score"])


def give_back(
    session: Session, now: datetime, held: Lease, problem: str, *, charge: bool, tries: int = TRIES,
    wait: timedelta = NOW,
) -> State | None:  # fmt: skip
    """Returns a submission to the queue, or to staff after the last try.

    Args:
        tries: how many there are in all.
        wait: how long it rests before it is taken again.
        charge: whether this counts as a try; a grader that is shut down charges nothing.
    """
    row = session.scalars(select(Submission).where(*_mine(held)).with_for_update()).first()
    if row is None:
        end(session, now, held.submission, held.token, "late", problem)
        return None
    row.not_before = now + wait
    return _requeue(session, now, row, "returned", problem, charge=charge, tries=tries)


def resize(session: Session, now: datetime, held: Lease, *, cores: int, gpu: bool) -> None:
    """Returns a submission to the queue, uncharged, with what its assignment asks for now."""
    row = session.scalars(select(Submission).where(*_mine(held)).with_for_update()).first()
    if row is None:
        end(session, now, held.submission, held.token, "late", "")
        return
    row.cores, row.gpu = cores, gpu
    row.not_before = now + timedelta(seconds=2)  # two services with two versions must not pass it to and fro all day
    _requeue(session, now, row, "returned", "its assignment asks for other hardware than it did", charge=False)


def sweep(session: Session, now: datetime, dead: Iterable[str] = ()) -> list[int]:
    """Takes back what its holder let lapse, or whose holder is known to be dead."""
    lapsed = (Submission.lease_until < now) | Submission.holder.in_(list(dead))
    query = select(Submission).where(Submission.state == State.RUNNING, lapsed)
    rows = session.scalars(query.with_for_update(skip_locked=True)).all()
    for row in rows:
        _requeue(session, now, row, "expired", "the grader stopped answering", charge=True)
    return [r.id for r in rows]


def holders(session: Session) -> list[str]:
    """Who holds leases now."""
    return list(session.scalars(select(Submission.holder).where(Submission.state == State.RUNNING).distinct()))


def hardware(session: Session, *, gpu: bool, joined: bool) -> int:
    """Queues what waits for a GPU when there is one; shows it as waiting when there is none. Returns how many changed.

    Args:
        joined: whether a GPU is new here: what another one failed to finish, and staff have not settled, is tried on it.
    """
    # what was not tried at all yet is tried without
    mine = (Submission.gpu.is_(True), Submission.grade.is_not(None))
    if not gpu:
        query = update(Submission).where(*mine, Submission.state == State.QUEUED).values(state=State.WAITING)
        return int(session.execute(query).rowcount)  # type: ignore[attr-defined]  # an UPDATE has one
    # what counts goes first; its older versions would hold everybody up who hands in now
    back = {"state": State.QUEUED, "priority": case((_superseded(), REGRADE), else_=LIVE)}
    again = [update(Submission).where(*mine, Submission.state == State.WAITING).values(back)]
    if joined:
        unfinished = select(CriterionRow.grade).where(
            CriterionRow.grade == Submission.grade, CriterionRow.verdict == Verdict.WAITING_FOR_HARDWARE
        )
        ours = update(Submission).where(*mine, Submission.state == State.STAFF, unfinished.exists())
        again.append(ours.values(back | {"tries": 0, "problem": ""}))
    changed: list[int] = [session.execute(query).rowcount for query in again]  # type: ignore[attr-defined]
    return sum(changed)


def _superseded() -> ColumnElement[bool]:
    """Whether the student handed in something else for the same since."""
    other, own = aliased(Submission), aliased(ReceiptRow)
    last = select(func.max(own.at)).where(own.submission == Submission.id).correlate(Submission).scalar_subquery()
    keys = ("course", "student", "assignment", "purpose")
    same = [getattr(other, key) == getattr(Submission, key) for key in keys]
    newer = select(other.id).join(ReceiptRow, ReceiptRow.submission == other.id).correlate(Submission)
    return newer.where(*same, other.id != Submission.id, ReceiptRow.at > last).exists()


def oversized(session: Session, sizes: Sizes) -> int:
    """Says beside what waits that no node is large enough for it, and takes that back when one is.

    Returns:
        How many have been told since the last time.
    """
    waits, told = Submission.state == State.QUEUED, Submission.problem == TOO_LARGE
    session.execute(update(Submission).where(waits, told, sizes.hold()).values(problem=""))
    news = update(Submission).where(waits, ~told, ~sizes.hold()).values(problem=TOO_LARGE)
    return int(session.execute(news).rowcount)  # type: ignore[attr-defined]


def enqueue(session: Session, now: datetime, row: Submission, priority: int, *, staged: bool = False) -> None:
    """Puts a submission at the end of its student's turn; a verdict that waited for staff is dropped."""
    row.staged, row.staged_grade = row.state if staged else "", None
    waiting = select(func.count()).where(
        Submission.course == row.course,
        Submission.student == row.student,
        Submission.state.in_((State.QUEUED, State.RUNNING)),  # what waits for a GPU takes nobody's turn
    )
    row.turn, row.not_before = session.scalar(waiting) or 0, now
    row.state, row.priority, row.tries, row.problem, row.holder, row.lease_until = (
        State.QUEUED,
        priority,
        0,
        "",
        "",
        None,
    )


def _requeue(
    session: Session, now: datetime, row: Submission, outcome: str, problem: str, *, charge: bool, tries: int = TRIES
) -> State:
    if not charge:
        row.tries -= 1
    state = State.STAFF if row.tries >= tries else State.QUEUED
    staged = row.staged
    row.state, row.holder, row.lease_until, row.problem = state, "", None, problem[:2000]
    if state is State.STAFF and staged:  # the old grade stands, and so does the old state
        row.state, row.staged, row.priority = staged, "", LIVE
    end(session, now, row.id, row.token, outcome, problem)
    if state is State.STAFF:
        what = "staged regrade failed" if staged else "needs staff"
        audit.append(session, now, "grader", what, f"submission {row.id}", problem=problem[:2000])
    return state


def end(session: Session, now: datetime, submission: int, token: int, outcome: str, problem: str) -> None:
    session.execute(
        update(Attempt)
        .where(Attempt.submission == submission, Attempt.token == token, Attempt.outcome == "")
        .values(ended_at=now, outcome=outcome, problem=problem[:2000])
    )
