"""The first tables."""

import sqlalchemy as sa
from alembic import op

from autograder.ledger.models import Moment

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes every table, and the end of the audit's empty chain."""
    op.create_table(
        "artefact",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("course", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=255), nullable=False),
        sa.Column("assignment", sa.String(length=255), nullable=False),
        sa.Column("student", sa.String(length=255), nullable=False),
        sa.Column("stamp", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", ID, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("artefacts", "artefact", ["course", "kind", "assignment", "student"], unique=False)
    op.create_table(
        "assignment_version",
        sa.Column("course", sa.String(length=255), nullable=False),
        sa.Column("assignment", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=255), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("course", "assignment", "digest"),
    )
    op.create_table(
        "audit",
        sa.Column("seq", ID, autoincrement=False, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("who", sa.String(length=255), nullable=False),
        sa.Column("what", sa.String(length=255), nullable=False),
        sa.Column("about", sa.String(length=255), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "bucket",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("level", sa.Float(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "chain",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("seq", ID, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "extension",
        sa.Column("course", sa.String(length=255), nullable=False),
        sa.Column("assignment", sa.String(length=255), nullable=False),
        sa.Column("student", sa.String(length=255), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("course", "assignment", "student"),
    )
    op.create_table(
        "member",
        sa.Column("course", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=255), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("course", "name"),
    )
    op.create_table(
        "submission",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("course", sa.String(length=255), nullable=False),
        sa.Column("assignment", sa.String(length=255), nullable=False),
        sa.Column("version", sa.String(length=255), nullable=False),
        sa.Column("student", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", ID, nullable=False),
        sa.Column("purpose", sa.String(length=255), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("cores", ID, nullable=False),
        sa.Column("gpu", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=255), nullable=False),
        sa.Column("priority", ID, nullable=False),
        sa.Column("turn", ID, nullable=False),
        sa.Column("not_before", Moment(), nullable=False),
        sa.Column("tries", ID, nullable=False),
        sa.Column("token", ID, nullable=False),
        sa.Column("holder", sa.String(length=255), nullable=False),
        sa.Column("lease_until", Moment(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("grade", ID, nullable=True),
        sa.Column("staged", sa.String(length=255), nullable=False),
        sa.Column("staged_grade", ID, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("course", "assignment", "student", "sha256", "purpose", name="same_bytes_once"),
    )
    op.create_index("by_assignment", "submission", ["course", "assignment", "id"], unique=False)
    op.create_index("by_student", "submission", ["course", "student", "id"], unique=False)
    op.create_index("queue", "submission", ["state", "priority", "turn", "id"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("submission", ID, nullable=False),
        sa.Column("token", ID, nullable=False),
        sa.Column("holder", sa.String(length=255), nullable=False),
        sa.Column("begun_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("outcome", sa.String(length=255), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission"],
            ["submission.id"],
        ),
        sa.PrimaryKeyConstraint("submission", "token"),
    )
    op.create_table(
        "grade",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("submission", ID, nullable=False),
        sa.Column("token", ID, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("max_score", sa.Float(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission"],
            ["submission.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("submission", "token", name="one_grade_a_lease"),
    )
    op.create_table(
        "receipt",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("submission", ID, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("channel", sa.String(length=255), nullable=False),
        sa.Column("duplicate", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission"],
            ["submission.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_receipt_submission"), "receipt", ["submission"], unique=False)
    op.create_table(
        "review",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("submission", ID, nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.Column("points", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission"],
            ["submission.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_review_submission"), "review", ["submission"], unique=False)
    op.create_table(
        "criterion_result",
        sa.Column("grade", ID, nullable=False),
        sa.Column("criterion", sa.String(length=255), nullable=False),
        sa.Column("points", sa.Float(), nullable=False),
        sa.Column("max_points", sa.Float(), nullable=False),
        sa.Column("verdict", sa.String(length=255), nullable=False),
        sa.Column("speedup", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["grade"],
            ["grade.id"],
        ),
        sa.PrimaryKeyConstraint("grade", "criterion"),
    )
    chain = sa.table("chain", sa.column("id"), sa.column("seq"), sa.column("hash"))
    op.bulk_insert(chain, [{"id": 1, "seq": 0, "hash": "0" * 64}])
