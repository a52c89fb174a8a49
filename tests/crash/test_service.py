"""`kill -9` of the service at every step of a submission's life: nothing lost, nothing graded twice, no attempt charged."""

from __future__ import annotations

import signal

import pytest

from tests.crash.conftest import MOSTLY
from tests.crash.victim import STEPS
from tests.crash.world import program, until

# a step before or after which the database commits is killed at on both; `make slow` does the others on PostgreSQL, too
COMMITS = ("row", "recording")
CASES = [("sqlite", step) for step in STEPS if step != "none"] + [
    pytest.param("postgresql", step, marks=() if step in COMMITS else pytest.mark.slow)
    for step in STEPS
    if step != "none"
]


@pytest.mark.parametrize("world, step", CASES, indirect=["world"])
def test_a_killed_service_loses_nothing(world, step):
    """Students with receipts keep them; those without submit again, and nobody is graded twice."""
    tokens = {name: world.token(name) for name in ("ada", "bob", "cem")}
    victim = world.serve(step, simulate=0.2)
    work = {name: program(name) for name in tokens}
    unsure = [n for n, t in tokens.items() if not world.submit(n, t, work[n])]
    assert victim.wait(timeout=30) == -signal.SIGKILL, f"it did not die at {step}"
    world.serve(simulate=0.2)
    for name in unsure:  # a student without a receipt presses the button again
        until(lambda name=name: world.submit(name, tokens[name], work[name]), 20, "a receipt")
    world.all_graded(40)
    counted = world.compare(score=len)
    assert counted["receipts"] == 3


@pytest.mark.parametrize("world", MOSTLY, indirect=True)
def test_a_service_that_is_stopped_gives_its_work_back(world):
    """SIGTERM: what was under way is queued again at once, at no charge."""
    tokens = {name: world.token(name) for name in ("ada", "bob")}
    service = world.serve(simulate=5)
    for name, token in tokens.items():
        assert world.submit(name, token, program(name))
    ledger = world.ledger()
    until(lambda: ledger.counts()["running"], 20, "a lease")
    service.send_signal(signal.SIGTERM)
    service.wait(timeout=30)
    counts = ledger.counts()
    assert counts["running"] == 0 and counts["queued"] == 2
    assert all(e.attempts == 0 for e in ledger.entries("course"))
    ledger.close()
    world.serve(simulate=0.2)
    world.all_graded(30)
    world.compare(score=len)
