"""What needs a GPU, on real Dask workers: tried without one, finished when a node with one joins, one at a time."""

from __future__ import annotations

import threading
import time
import warnings
from typing import Any, NamedTuple

import pytest

from autograder.domain.record import State

BUSY = {"now": 0, "most": 0}
LOCK = threading.Lock()


def judged(parcel):
    """A grading that can say more where the worker has a GPU."""
    from distributed import get_worker

    from autograder.engine.task import Outcome

    worker = get_worker()
    asks = b"other" not in parcel.content
    gpu = asks and "gpu" in worker.state.total_resources
    with LOCK:
        BUSY["now"] += gpu
        BUSY["most"] = max(BUSY["most"], BUSY["now"])
    time.sleep(0.05)
    with LOCK:
        BUSY["now"] -= gpu
    speed = "passed" if gpu or not asks else "waiting-for-hardware"
    rows = [
        {"id": i, "points": float(v == "passed"), "max_points": 1.0, "verdict": v, "evidence": {}}
        for i, v in (("right", "passed"), ("fast", speed))
    ]
    return Outcome({"score": 1.0 + gpu, "max_score": 2.0, "criteria": rows, "engine": {"node": str(worker.name)}})


class Grid(NamedTuple):
    """What a test needs of it."""

    ledger: Any
    dispatcher: Any
    join: Any
    leave: Any
    scheduler: str


@pytest.fixture
def grid(tmp_path, monkeypatch):
    """A scheduler in this process, a ledger, and ways to add and take away workers."""
    from distributed import LocalCluster, Worker

    from autograder.engine.cluster import Cluster
    from autograder.engine.dispatch import Dispatcher
    from autograder.ledger.store import Ledger
    from tests.crash.world import FIXTURES

    monkeypatch.chdir(FIXTURES)
    ledger = Ledger.open("", tmp_path)
    BUSY.update(now=0, most=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        workers = LocalCluster(
            n_workers=0, threads_per_worker=2, processes=False, dashboard_address=None, protocol="inproc://"
        )
        joined = {}

        async def start(name, resources):
            joined[name] = Worker(
                workers.scheduler_address, name=name, nthreads=4, resources=resources, dashboard=False
            )
            await joined[name]

        async def stop(name):
            await joined.pop(name).close()

        yield Grid(
            ledger,
            lambda: Dispatcher(ledger, Cluster(workers.scheduler_address), task=judged),
            lambda name, **more: workers.sync(start, name, {"cores": 2, **more}),
            lambda name: workers.sync(stop, name),
            workers.scheduler_address,
        )
        for name in list(joined):
            workers.sync(stop, name)
        workers.close()
    ledger.close()


def hand_in(ledger, count, mark, *, gpu=True):
    """So many students."""
    for i in range(count):
        ledger.submit(
            course="c", assignment="t_gpu" if gpu else "t_basic", student=f"s{i}", name="s.py",
            content=f"# {mark} {i}".encode(), channel="api", gpu=gpu,
        )  # fmt: skip


def test_a_gpu_submission_waits_visibly_and_is_graded_when_a_node_joins(grid):
    """Its first verdict stands meanwhile; others are graded as ever; nobody is charged a try."""
    from tests.crash.world import until

    ledger, make, join, leave, _ = grid
    join("plain")
    with make() as dispatcher:
        hand_in(ledger, 4, "net")
        hand_in(ledger, 2, "other", gpu=False)
        until(lambda: ledger.counts()["waiting-for-hardware"] == 4, 20, "four wait")
        until(lambda: ledger.counts()["graded"] == 2, 20, "the others are graded")
        waiting = [e for e in ledger.entries("c") if e.state is State.WAITING]
        assert {e.score for e in waiting} == {1.0} and {e.attempts for e in waiting} == {0}
        join("gpu", gpu=1)
        until(lambda: ledger.counts()["graded"] == 6, 30, "the GPU's node finished them")
        mine = [e for e in ledger.entries("c") if e.id in {w.id for w in waiting}]
        assert {e.score for e in mine} == {2.0} and {e.problem for e in mine} == {""}
        assert {ledger.grade_json(e.id)["engine"]["node"] for e in mine} == {"gpu"}
        assert BUSY["most"] == 1, "a GPU is lent to one grading at a time"
        leave("gpu")
        until(lambda: not any(n["gpu"] for n in dispatcher.nodes()), 20, "it left")
        hand_in(ledger, 1, "late")
        until(lambda: ledger.counts()["waiting-for-hardware"] == 1, 20, "the next one waits again")


def test_a_busy_gpu_holds_nobody_else_up(grid):
    """Many that need it, one that does not: that one is not behind them."""
    from tests.crash.world import until

    ledger, make, join, _, _ = grid
    join("gpu", gpu=1)
    with make() as dispatcher:
        until(lambda: len(dispatcher.nodes()) == 1, 20, "a node")
        hand_in(ledger, 12, "net")
        hand_in(ledger, 1, "other", gpu=False)
        until(lambda: ledger.counts()["graded"] == 13, 30, "all")
    done = [e.id for e in sorted(ledger.entries("c"), key=lambda e: e.graded_at)]
    assert done.index(13) < 6 and BUSY["most"] == 1


@pytest.mark.docker
@pytest.mark.timeout(300)
def test_the_whole_way_of_a_submission_that_waits(grid, engine, monkeypatch):
    """Real containers: correctness on a machine without a GPU, then everything in a simulated slot that appears."""
    from autograder.api import Options
    from autograder.engine.cluster import Cluster
    from autograder.engine.dispatch import Dispatcher
    from autograder.measure.gpu import VARIABLE
    from tests.crash.world import FIXTURES, until

    ledger, _, join, _, scheduler = grid
    content = (FIXTURES / "assignments/t_gpu/solutions/any_device.py").read_bytes()
    monkeypatch.setenv(VARIABLE, "none")
    cluster = Cluster(scheduler, Options(references=FIXTURES / "reference", pairs=1))
    join("plain")
    with Dispatcher(ledger, cluster):
        receipt = ledger.submit(
            course="c", assignment="t_gpu", student="ada", name="s.py", content=content, channel="api", gpu=True
        )
        until(lambda: ledger.entry(receipt.submission).state is State.WAITING, 60, "it waits")
        entry = ledger.entry(receipt.submission)
        found = {c["id"]: c["verdict"] for c in ledger.grade_json(entry.id)["criteria"]}
        assert entry.score == 40 and found["speed"] == "waiting-for-hardware" and found["formula"] == "passed"
        monkeypatch.setenv(VARIABLE, "simulated")
        join("gpu", gpu=1)
        until(lambda: ledger.entry(receipt.submission).state is State.GRADED, 200, "it is graded in the new slot")
        grade = ledger.grade_json(receipt.submission)
        assert grade["score"] == 80 and grade["engine"]["device"] == "simulated" and grade["engine"]["node"] == "gpu"
