"""The tables. Every moment is UTC; every submission's bytes lie beside the database, named by their SHA-256."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows only in INTEGER columns


class Moment(TypeDecorator[datetime]):
    """A UTC time that comes back aware from both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuses naive times; SQLite keeps none of the zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Gives the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Table(DeclarativeBase):
    """Root of the mapped classes."""

    type_annotation_map = {datetime: Moment, str: String(255), int: _ID, float: Float}  # noqa: RUF012  # SQLAlchemy's way


class Member(Table):
    """Who belongs to a course, and as what."""

    __tablename__ = "member"
    course: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    at: Mapped[datetime]


class Version(Table):
    """An assignment as it was graded: the hash of its checks, references and settings."""

    __tablename__ = "assignment_version"
    course: Mapped[str] = mapped_column(primary_key=True)
    assignment: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class Submission(Table):
    """One student's bytes for one assignment, and its place in the queue."""

    __tablename__ = "submission"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    course: Mapped[str]
    assignment: Mapped[str]
    version: Mapped[str]
    student: Mapped[str]
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    purpose: Mapped[str]
    received_at: Mapped[datetime]
    cores: Mapped[int]
    gpu: Mapped[bool]
    # the queue
    state: Mapped[str]
    priority: Mapped[int]  # 0 live, 1 regrade
    turn: Mapped[int]  # how many of the student's own were waiting before it: fair between students
    tries: Mapped[int]
    not_before: Mapped[datetime]  # a machine that was too noisy is given time
    token: Mapped[int]
    holder: Mapped[str]
    lease_until: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(Text)
    # the newest grade
    grade: Mapped[int | None] = mapped_column(_ID)
    # a regrade whose verdict waits for staff
    staged: Mapped[str]  # while it is under way: the state to go back to; else empty
    staged_grade: Mapped[int | None] = mapped_column(_ID)  # once it is there: the verdict that waits
    __table_args__ = (
        UniqueConstraint("course", "assignment", "student", "sha256", "purpose", name="same_bytes_once"),
        Index("queue", "state", "priority", "turn", "id"),
        Index("by_student", "course", "student", "id"),
        Index("by_assignment", "course", "assignment", "id"),
    )


class ReceiptRow(Table):
    """Every time bytes arrived, also when they were known."""

    __tablename__ = "receipt"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    submission: Mapped[int] = mapped_column(_ID, ForeignKey("submission.id"), index=True)
    name: Mapped[str]
    at: Mapped[datetime]
    channel: Mapped[str]
    duplicate: Mapped[bool]


class Attempt(Table):
    """One lease: who held it, how it ended."""

    __tablename__ = "attempt"
    submission: Mapped[int] = mapped_column(_ID, ForeignKey("submission.id"), primary_key=True)
    token: Mapped[int] = mapped_column(_ID, primary_key=True)
    holder: Mapped[str]
    begun_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str]  # "", graded, returned, expired, late, discarded
    problem: Mapped[str] = mapped_column(Text)


class GradeRow(Table):
    """A verdict, written once."""

    __tablename__ = "grade"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    submission: Mapped[int] = mapped_column(_ID, ForeignKey("submission.id"))
    token: Mapped[int]
    at: Mapped[datetime]
    score: Mapped[float]
    max_score: Mapped[float]
    body: Mapped[str] = mapped_column(Text)
    __table_args__ = (UniqueConstraint("submission", "token", name="one_grade_a_lease"),)


class CriterionRow(Table):
    """One line of a verdict, for the staff's plots."""

    __tablename__ = "criterion_result"
    grade: Mapped[int] = mapped_column(_ID, ForeignKey("grade.id"), primary_key=True)
    criterion: Mapped[str] = mapped_column(primary_key=True)
    points: Mapped[float]
    max_points: Mapped[float]
    verdict: Mapped[str]
    speedup: Mapped[float | None]


class Review(Table):
    """A TA's points beside a grade, never over it."""

    __tablename__ = "review"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    submission: Mapped[int] = mapped_column(_ID, ForeignKey("submission.id"), index=True)
    by: Mapped[str]
    points: Mapped[float]
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class Extension(Table):
    """A later deadline for one student."""

    __tablename__ = "extension"
    course: Mapped[str] = mapped_column(primary_key=True)
    assignment: Mapped[str] = mapped_column(primary_key=True)
    student: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]
    by: Mapped[str]


class Artefact(Table):
    """Files that are handed round, not graded: releases, feedback."""

    __tablename__ = "artefact"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    course: Mapped[str]
    kind: Mapped[str]
    assignment: Mapped[str]
    student: Mapped[str]
    stamp: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    at: Mapped[datetime]
    withdrawn: Mapped[bool]
    __table_args__ = (Index("artefacts", "course", "kind", "assignment", "student"),)


class Bucket(Table):
    """Tokens that refill."""

    __tablename__ = "bucket"
    name: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[float]
    at: Mapped[datetime]


class Examination(Table):
    """The newest A/A duel of a node: whether it may time anybody."""

    __tablename__ = "examination"
    node: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    fit: Mapped[bool]
    words: Mapped[str] = mapped_column(Text)


class AuditRow(Table):
    """Who did what; each row carries the hash of the one before it."""

    __tablename__ = "audit"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    who: Mapped[str]
    what: Mapped[str]
    about: Mapped[str]
    detail: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(String(64))


class Chain(Table):
    """The end of the audit's chain: one row, whose lock makes writers take turns."""

    __tablename__ = "chain"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


def as_dict(row: Any) -> dict[str, Any]:
    """A row's columns by name."""
    return {c.name: getattr(row, c.key) for c in row.__table__.columns}
