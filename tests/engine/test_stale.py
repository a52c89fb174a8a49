"""Nodes that have another version of an assignment, and assignments that are being saved: nobody is charged."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

from autograder.course.load import load
from autograder.course.version import version
from autograder.domain.record import State
from autograder.engine import dispatch, task
from autograder.engine.cluster import Cluster
from autograder.engine.dispatch import Dispatcher
from autograder.engine.options import Options
from autograder.engine.stale import MOST, Stale
from autograder.engine.task import NodePlugin, Parcel
from tests.crash.world import FIXTURES, until

from .test_gpu_queue import grid, hand_in

__all__ = ["grid"]
ASKED = {"old": 0}


def graded(parcel):
    """Nodes whose name begins with `old` have another version."""
    from distributed import get_worker

    from autograder.engine.task import Outcome

    worker = get_worker()
    if str(worker.name).startswith("old"):
        ASKED["old"] += 1
        return Outcome(None, "another version: update the node", stale=True, node=worker.address)
    row = {"id": "k", "points": 1.0, "max_points": 1.0, "verdict": "passed", "evidence": {}}
    return Outcome({"score": 1.0, "max_score": 1.0, "criteria": [row], "engine": {}})


@pytest.fixture
def quick(monkeypatch):
    """Rests are short."""
    monkeypatch.setattr(dispatch, "REST_S", 0.05)
    monkeypatch.setattr(dispatch, "NOBODY_S", 0.05)
    ASKED["old"] = 0


def test_an_outdated_node_does_not_swallow_the_queue(grid, quick):
    """After its first answers everything goes to the other one; nothing reaches staff, nobody is charged."""
    ledger, _, join, _, scheduler = grid
    join("old")
    join("new")
    with Dispatcher(ledger, Cluster(scheduler), task=graded) as dispatcher:
        until(lambda: len(dispatcher.nodes()) == 2, 20, "two nodes")
        hand_in(ledger, 20, "many", gpu=False)
        until(lambda: ledger.counts()["graded"] == 20, 40, "the other node graded all")
    assert 0 < ASKED["old"] <= 4 and sum(e.attempts for e in ledger.entries("c")) == 20


def test_while_no_node_has_it_submissions_wait_and_say_so(grid, quick):
    """One that joins takes them up."""
    ledger, _, join, _, scheduler = grid
    join("old")
    with Dispatcher(ledger, Cluster(scheduler), task=graded):
        hand_in(ledger, 6, "many", gpu=False)
        until(lambda: all("update the node" in e.problem for e in ledger.entries("c")), 20, "they say so")
        assert ledger.counts()["needs-staff"] == 0 and ASKED["old"] <= 4
        join("new")
        until(lambda: ledger.counts()["graded"] == 6, 30, "the new one graded all")


def test_a_handful_of_times_is_enough(grid, quick, monkeypatch):
    """Then staff read what to do."""
    monkeypatch.setattr("autograder.engine.stale._OUT_S", 0.01)
    ledger, _, join, _, scheduler = grid
    join("old")
    with Dispatcher(ledger, Cluster(scheduler), task=graded):
        hand_in(ledger, 1, "one", gpu=False)
        until(lambda: ledger.entry(1).state is State.STAFF, 40, "staff have it")
    assert ASKED["old"] == MOST and "update the node" in ledger.entry(1).problem


def test_a_node_rests_longer_each_time_and_is_asked_at_once_for_another_version():
    """Several that were under way at once count once."""
    now = [0.0]
    stale = Stale(lambda: now[0])
    for submission in range(8):
        stale.note(submission, "n", "a", "v1")
    assert stale.lacks("n", "a", "v1") and not stale.lacks("n", "a", "v2") and not stale.lacks("m", "a", "v1")
    now[0] = 31
    assert not stale.lacks("n", "a", "v1")
    stale.note(1, "n", "a", "v1")
    now[0] += 31
    assert stale.lacks("n", "a", "v1") and stale.times(1) == 2
    stale.forget(1)
    assert stale.times(1) == 0


@pytest.fixture
def course(tmp_path, monkeypatch):
    """An assignment that may be changed, and a worker to grade it on."""
    folder = tmp_path / "assignments"
    shutil.copytree(FIXTURES / "assignments" / "t_basic", folder / "t_basic")
    monkeypatch.setenv("AUTOGRADER_COURSE_FOLDER", str(folder))
    plugin = SimpleNamespace(options=Options(references=FIXTURES / "reference"), node=None)
    worker = SimpleNamespace(plugins={NodePlugin.name: plugin}, name="n1", address="tcp://n1", log_event=print)
    monkeypatch.setattr(task, "get_worker", lambda: worker)
    return folder / "t_basic"


@pytest.mark.parametrize("change", ["edited", "half saved", "away"])
def test_a_node_that_has_it_otherwise_says_that_it_is_stale(course, change):
    """Not that the submission is beyond hope."""
    digest = version(load(course), FIXTURES / "reference")
    text = (course / "assignment.toml").read_text()
    if change == "away":
        shutil.rmtree(course)
    else:
        changed = text[: len(text) // 2] if change == "half saved" else text + "\n# edited\n"
        (course / "assignment.toml").write_text(changed)
    found = task.grade(Parcel(1, 1, "t_basic", digest, "s.py", b"x = 1", False, 1))
    assert found.stale and not found.hopeless and found.node == "tcp://n1" and found.grade is None
