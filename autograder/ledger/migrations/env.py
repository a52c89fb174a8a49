"""Run by Alembic, on the connection that `database.py` hands over."""

from alembic import context

from autograder.ledger.models import Table

context.configure(connection=context.config.attributes["connection"], target_metadata=Table.metadata)
context.run_migrations()
