"""A world per test, on each database."""

from __future__ import annotations

import pytest

from tests.crash.world import World
from tests.ledger.conftest import fresh_postgres, postgres  # noqa: F401  # fixtures


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request, tmp_path):
    """Cleaned up, whatever the test did to it."""
    database = request.getfixturevalue("fresh_postgres")() if request.param == "postgresql" else ""
    made = World(tmp_path / "w", database)
    yield made
    made.close()
