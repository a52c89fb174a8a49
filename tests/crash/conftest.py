"""A world per test, on each database; `make slow` adds PostgreSQL where the database is not what is killed beside."""

from __future__ import annotations

import pytest

from tests.crash.world import World
from tests.ledger.conftest import fresh_postgres, postgres  # noqa: F401  # fixtures

BOTH = ["sqlite", "postgresql"]
MOSTLY = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]


@pytest.fixture(params=BOTH)
def world(request, tmp_path):
    """Cleaned up, whatever the test did to it."""
    database = request.getfixturevalue("fresh_postgres")() if request.param == "postgresql" else ""
    made = World(tmp_path / "w", database)
    yield made
    made.close()
