"""`kill -9` of Dask's scheduler and of workers: another takes over, the ledger is untouched."""

from __future__ import annotations

import signal
import time

import pytest

from autograder.engine.cluster import worker_environment
from tests.crash.conftest import MOSTLY
from tests.crash.world import free_port, program, until


class Grid:
    """A scheduler and workers of its own, as on several machines."""

    def __init__(self, world):
        self.world, self.port = world, free_port()
        world.scheduler = f"tcp://127.0.0.1:{self.port}"

    def scheduler(self):
        """Starts it."""
        return self.world.run(
            "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"
        )

    def worker(self, name, cores=2):
        """A node, without a nanny, so that a kill is final."""
        return self.world.run(
            "-m", "distributed.cli.dask_worker", self.world.scheduler, "--name", name, "--no-nanny", "--nthreads", str(cores),
            "--resources", f"cores={cores}", "--no-dashboard", "--death-timeout", "60", **worker_environment(),
        )  # fmt: skip


@pytest.fixture
def grid(world):
    """A scheduler, two workers, a service that simulates gradings of a second."""
    made = Grid(world)
    made.first = made.scheduler()
    time.sleep(1)
    made.workers = [made.worker("n1"), made.worker("n2")]
    return made


def _crowd(world, count):
    for i in range(count):
        assert world.submit(f"s{i}", world.token(f"s{i}"), program(f"{i}"))


@pytest.mark.parametrize("world", MOSTLY, indirect=True)
def test_a_killed_worker_costs_nobody_anything(world, grid):
    """Half of the nodes die in the middle; the rest do their work."""
    world.serve(simulate=1.0)
    _crowd(world, 12)
    ledger = world.ledger()
    until(lambda: ledger.counts()["running"] >= 4, 30, "four gradings at once")
    grid.workers[0].send_signal(signal.SIGKILL)
    world.all_graded(60)
    world.compare(score=len)
    assert all(e.attempts == 1 for e in ledger.entries("course")), "the same lease went on elsewhere"
    ledger.close()


@pytest.mark.parametrize("world", MOSTLY, indirect=True)
def test_a_killed_scheduler_costs_nobody_anything(world, grid):
    """The service waits for another at the same address and goes on, charging no try."""
    world.serve(simulate=1.0)
    _crowd(world, 8)
    ledger = world.ledger()
    until(lambda: ledger.counts()["running"] >= 4, 30, "four gradings at once")
    grid.first.send_signal(signal.SIGKILL)
    grid.first.wait()
    for worker in grid.workers:
        worker.kill()
        worker.wait()
    until(lambda: ledger.counts()["running"] == 0, 30, "giving the leases back")
    grid.scheduler()
    time.sleep(1)
    grid.worker("n3")
    world.all_graded(60)
    world.compare(score=len)
    assert all(e.attempts == 1 for e in ledger.entries("course"))
    ledger.close()
