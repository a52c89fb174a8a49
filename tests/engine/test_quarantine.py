"""Nodes that fail their nightly A/A duel get no work until they pass one; on real Dask workers, with simulated duels."""

from __future__ import annotations

import os
import socket
import warnings
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from autograder.cli.node import join
from autograder.domain.measurement import Round
from autograder.engine.examine import judge
from autograder.engine.quarantine import key, last_night
from autograder.measure.fitness import Fitness

FIT = {"n1": True, "n2": True}


def duel() -> dict[str, object]:
    """What the test says of the worker that runs this."""
    from distributed import get_worker

    name = str(get_worker().name)
    return {"fit": FIT[name], "words": f"pair noise of {name}"}


def graded(parcel):
    """A grading that says where it ran."""
    from distributed import get_worker

    from autograder.engine.task import Outcome

    criterion = {"id": "k", "points": 1.0, "max_points": 1.0, "verdict": "passed", "evidence": {}}
    engine = {"node": str(get_worker().name)}
    return Outcome({"score": 1.0, "max_score": 1.0, "criteria": [criterion], "engine": engine})


class Clock:
    """Moves when told."""

    now = datetime(2026, 9, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def trace(ratios, dropped=0):
    """Rounds with these ratios, the first few disturbed."""
    return [Round(1.0, 1.0 / r, r, 0, False, "steal" if i < dropped else "") for i, r in enumerate(ratios)]


def test_a_quiet_machine_is_good():
    """One per cent of noise, no bias."""
    found = judge(trace([1 + 0.01 * (-1) ** i for i in range(40)]))
    assert found.fitness is Fitness.GOOD and "A/A duel 1.000×" in found.words


@pytest.mark.parametrize(
    "rounds",
    [
        trace([1.06 + 0.001 * (i % 3) for i in range(40)]),
        trace([1 + 0.4 * (-1) ** i for i in range(40)]),
        trace([1.0] * 40, dropped=25),
    ],
    ids=["one side is favoured", "noise", "disturbed"],
)
def test_a_machine_that_would_decide_tiers_by_itself_is_refused(rounds):
    """Bias beyond half the guard band, noise, or hardly an undisturbed round."""
    assert judge(rounds).fitness is Fitness.REFUSE


def test_one_slow_launch_of_two_is_no_noise():
    """A pair a third off, as happens, keeps no node out for an hour; duels start more pairs."""
    rounds = [Round(1.0, 1.0 / r, r, i % 2, False) for i, r in enumerate([0.98, 1.32] * 20)]
    assert judge(rounds).fitness is not Fitness.REFUSE


def test_a_small_bias_is_a_warning():
    """Below half the guard band it cannot flip a verdict."""
    assert judge(trace([1.015 + 0.001 * (i % 3) for i in range(40)])).fitness is Fitness.WARN


def test_too_few_rounds_show_nothing():
    """Without an interval no bias is excluded."""
    assert judge(trace([1.15 + 0.001 * (i % 3) for i in range(8)])).fitness is Fitness.REFUSE


def test_the_newest_night_is_found():
    """Before the hour it was yesterday's."""
    noon = datetime(2026, 9, 2, 12, tzinfo=UTC).astimezone()
    early, late = noon.replace(hour=3), noon.replace(hour=5)
    assert late - last_night(late, 4) == timedelta(hours=1)
    assert early - last_night(early, 4) == timedelta(hours=23)


def test_the_embedded_node_has_its_machines_name(monkeypatch):
    """Two services on two machines and one database do not quarantine each other's."""
    names = []
    for host in ("one", "two"):
        monkeypatch.setattr(socket, "gethostname", lambda host=host: host)
        names.append(key({"host": "127.0.0.1", "name": "0"}))
    assert names == ["one/0", "two/0"] and key({"host": "10.0.0.7", "name": "n7"}) == "10.0.0.7/n7"


@pytest.mark.parametrize("given, name", [([], "lab7"), (["--name", "lab7-b"], "lab7-b")])
def test_a_node_that_joins_keeps_its_name_when_it_comes_back(monkeypatch, given, name):
    """Dask's default has a port in it that is another one every time, and a quarantine would end with the process."""
    started = []
    monkeypatch.setattr(socket, "gethostname", lambda: "lab7")
    monkeypatch.setattr(os, "execve", lambda _path, command, _environment: started.append(command))
    done = CliRunner().invoke(join, ["tls://scheduler:8786", "--unfit", *given])
    assert done.exit_code == 0, done.output
    (command,) = started
    assert command[command.index("--name") + 1] == name


@pytest.fixture
def grid(tmp_path, monkeypatch):
    """Two workers in this process, and a ledger whose clock the test moves."""
    from distributed import LocalCluster

    from autograder.engine.cluster import Cluster
    from autograder.engine.dispatch import Dispatcher
    from autograder.engine.quarantine import Quarantine
    from autograder.ledger.store import Ledger
    from tests.crash.world import FIXTURES

    monkeypatch.chdir(FIXTURES)
    FIT.update(n1=True, n2=True)
    clock = Clock()
    ledger = Ledger.open("", tmp_path, clock)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        workers = LocalCluster(
            n_workers=0, threads_per_worker=2, processes=False, dashboard_address=None, protocol="inproc://"
        )
        for name in FIT:
            workers.sync(_join, workers.scheduler_address, name, workers)

        def dispatcher():
            cluster = Cluster(workers.scheduler_address)
            return Dispatcher(ledger, cluster, task=graded, quarantine=Quarantine(ledger, cluster, 4, task=duel))

        yield ledger, clock, dispatcher
        workers.sync(_leave, workers)
        workers.close()
    ledger.close()


async def _join(address, name, workers):
    from distributed import Worker

    worker = Worker(address, name=name, nthreads=2, resources={"cores": 2}, dashboard=False)
    await worker
    workers.joined = [*getattr(workers, "joined", []), worker]


async def _leave(workers):
    for worker in workers.joined:
        await worker.close()


def _hand_in(ledger, count, mark):
    for i in range(count):
        ledger.submit(
            course="c",
            assignment="t_basic",
            student=f"s{i}",
            name="s.py",
            content=f"# {mark} {i}".encode(),
            channel="api",
        )


def _where(ledger):
    return {ledger.grade_json(e.id)["engine"]["node"] for e in ledger.entries("c")}


def test_a_node_that_fails_at_night_gets_no_work_until_it_passes(grid):
    """Examined at four; the quarantine outlives the dispatcher; an hour later it passes and works again."""
    from tests.crash.world import until

    ledger, clock, make = grid
    FIT["n1"] = False
    with make() as dispatcher:
        until(lambda: len(dispatcher.nodes()) == 2, 20, "two nodes")
        _hand_in(ledger, 8, "evening")
        until(lambda: ledger.counts()["graded"] == 8, 20, "eight grades")
        assert _where(ledger) == {"n1", "n2"}, "nobody is out before the first night"
        assert ledger.examinations() == {}
        clock.now += timedelta(days=1)
        until(lambda: len(ledger.examinations()) == 2, 20, "both were examined")
        until(lambda: any(n["quarantined"] for n in dispatcher.nodes()), 20, "one is out")
    with make() as dispatcher:
        until(lambda: len(dispatcher.nodes()) == 2, 20, "two nodes")
        assert [n["quarantined"] for n in sorted(dispatcher.nodes(), key=lambda n: n["name"])] == [
            "pair noise of n1",
            "",
        ]
        before = ledger.counts()["graded"]
        _hand_in(ledger, 8, "morning")
        until(lambda: ledger.counts()["graded"] == before + 8, 20, "eight more")
        newest = {ledger.grade_json(e.id)["engine"]["node"] for e in ledger.entries("c", limit=8)}
        assert newest == {"n2"}
        FIT["n1"] = True
        clock.now += timedelta(hours=1)
        until(lambda: not any(n["quarantined"] for n in dispatcher.nodes()), 20, "it passed")
    changes = [row["what"] for row in ledger.audit(limit=100) if "quarantine" in row["what"]]
    assert sorted(changes) == ["quarantined", "released from quarantine"]


def test_with_every_node_out_submissions_wait_and_staff_may_ask_for_another_look(grid):
    """Nothing is lost, nobody is charged."""
    from tests.crash.world import until

    ledger, clock, make = grid
    FIT.update(n1=False, n2=False)
    with make() as dispatcher:
        until(lambda: len(dispatcher.nodes()) == 2, 20, "two nodes")
        clock.now += timedelta(days=1)
        until(lambda: all(n["quarantined"] for n in dispatcher.nodes()), 20, "both are out")
        _hand_in(ledger, 3, "waiting")
        dispatcher.wake()
        FIT["n2"] = True
        assert not dispatcher.examine("n9") and ledger.counts()["queued"] == 3
        assert dispatcher.examine("n2")
        until(lambda: ledger.counts()["graded"] == 3, 20, "three grades")
        assert _where(ledger) == {"n2"}
    assert all(e.problem == "" for e in ledger.entries("c"))
