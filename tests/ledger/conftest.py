"""Every test here runs on SQLite and on a real PostgreSQL, started once and given a fresh database each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from autograder.ledger.store import Ledger
from tests.ledger.server import empty_database, running


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
    """The server's URL."""
    with running() as url:
        yield url


@pytest.fixture
def fresh_postgres(postgres):
    """Makes empty databases; returns their URLs."""
    return lambda: empty_database(postgres)


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
