"""What the nightly A/A duels of the nodes said."""

import sqlalchemy as sa
from alembic import op

from autograder.ledger.models import Moment

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "examination",
        sa.Column("node", sa.String(length=255), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("fit", sa.Boolean(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("node"),
    )
