"""What the ledger tells the rest: receipts, entries of the queue, leases. No database in sight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Purpose(StrEnum):
    """What a submission is for."""

    GRADE = "grade"
    TRY = "try"


class State(StrEnum):
    """Where a submission stands."""

    QUEUED = "queued"
    RUNNING = "running"
    GRADED = "graded"
    WAITING = "waiting-for-hardware"
    STAFF = "needs-staff"


class Role(StrEnum):
    """Who somebody is in a course."""

    STUDENT = "student"
    TA = "ta"
    INSTRUCTOR = "instructor"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that bytes were taken in; given only after file and row are on disk.

    Attributes:
        id: random, unguessable.
        duplicate: the same student had handed in the same bytes before; nothing is graded twice.
        received_at: UTC.
    """

    id: str
    submission: int
    course: str
    assignment: str
    student: str
    name: str
    sha256: str
    size: int
    received_at: datetime
    channel: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One submission as the ledger sees it; `attempts` counts leases, `problem` is the last failure of ours."""

    id: int
    course: str
    assignment: str
    student: str
    name: str
    sha256: str
    purpose: Purpose
    state: State
    received_at: datetime
    attempts: int
    score: float | None
    max_score: float | None
    problem: str
    graded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to grade one submission until a moment; results count only with the newest token.

    Attributes:
        token: the fencing token; grows with every lease of the submission.
        tries: how many leases it has had since it was queued, this one included.
        gpu: whether a GPU is lent with it.
        without: whether it needs a GPU, and is tried without one.
    """

    submission: int
    token: int
    tries: int
    course: str
    assignment: str
    version: str
    name: str
    sha256: str
    purpose: Purpose
    cores: int
    gpu: bool
    without: bool = False
