"""What goes wrong between taking a submission from the queue and handing it to a node costs nobody anything."""

from __future__ import annotations

import shutil
import time

import pytest

from autograder.domain.record import State
from autograder.engine import dispatch, parcels
from autograder.errors import CourseError, LedgerError
from autograder.ledger.queue import TOO_LARGE
from tests.crash.world import FIXTURES, until

from .test_gpu_queue import grid, hand_in

__all__ = ["grid"]


@pytest.fixture
def trouble(monkeypatch):
    """Lets the reading of the assignment, or the noting of its version, fail once."""
    real, left = parcels.version, []

    def version(*given):
        if left:
            raise left.pop()
        return real(*given)

    monkeypatch.setattr(parcels, "version", version)
    monkeypatch.setattr(dispatch, "REST_S", 0.05)
    return left


@pytest.fixture
def storage(tmp_path, monkeypatch):
    """Takes the storage of submissions away, and brings it back."""
    monkeypatch.setattr(dispatch, "REST_S", 0.5)
    here, elsewhere = tmp_path / "blobs", tmp_path / "unmounted"

    def away(is_away):
        if is_away:
            here.rename(elsewhere)
            here.mkdir()  # a mount point is an empty folder
        else:
            here.rmdir()
            elsewhere.rename(here)

    return away


@pytest.mark.parametrize(
    "error",
    [FileNotFoundError(2, "No such file"), CourseError("t", "half saved"), LedgerError("the database does not answer")],
    ids=["file", "course", "database"],
)
def test_it_is_sent_again_and_no_slot_waits_for_it(grid, trouble, error):
    """Four cores, four submissions of one core each, and one more: all are graded."""
    ledger, make, join, _, _ = grid
    join("plain")
    trouble.append(error)
    with make():
        hand_in(ledger, 5, "other", gpu=False)
        until(lambda: ledger.counts()["graded"] == 5, 30, "all are graded")
    assert trouble == [] and not ledger.holders()
    assert sum(e.attempts for e in ledger.entries("c")) == 5


@pytest.fixture
def parallel(tmp_path, monkeypatch):
    """`t_parallel` asks for as many cores as a test says; `t_basic` is as ever."""
    folder = tmp_path / "course"
    for name in ("t_basic", "t_parallel"):
        shutil.copytree(FIXTURES / "assignments" / "t_basic", folder / name)
    monkeypatch.setenv("AUTOGRADER_COURSE_FOLDER", str(folder))

    def ask(cores):
        file = folder / "t_parallel" / "assignment.toml"
        text = (folder / "t_basic" / "assignment.toml").read_text()
        changed = text.replace("t_basic", "t_parallel").replace("cores = 1", f"cores = {cores}")
        file.write_text(changed.replace('kind = "serial"', 'kind = "threads"', 1))

    return ask


def hand_in_parallel(ledger, cores):
    """By one more student, for what the assignment asked for then."""
    ledger.submit(
        course="c", assignment="t_parallel", student="big", name="s.py", content=b"# big other", channel="api",
        cores=cores,
    )  # fmt: skip


def test_what_no_node_can_hold_stops_nobody(grid, parallel):
    """Two nodes of two cores: three cores are free together, and nowhere."""
    ledger, make, join, _, _ = grid
    for name in ("n1", "n2"):
        join(name)
    parallel(3)
    with make():
        hand_in_parallel(ledger, 3)
        hand_in(ledger, 5, "other", gpu=False)
        until(lambda: ledger.counts()["graded"] == 5, 30, "the others are graded")
        until(lambda: ledger.entry(1).problem == TOO_LARGE, 20, "it says why it waits")
        assert (ledger.entry(1).state, ledger.entry(1).attempts) == (State.QUEUED, 0)
        join("n3", cores=3)
        until(lambda: ledger.counts()["graded"] == 6, 30, "a node that is large enough takes it")


def test_what_an_assignment_asks_for_may_be_corrected(grid, parallel):
    """Who handed in before gets what it asks for now, at no charge; so does who is graded again."""
    ledger, make, join, _, _ = grid
    join("n1")
    parallel(2)
    cores = []
    real = ledger.record
    ledger.record = lambda held, grade, **more: cores.append(held.cores) or real(held, grade, **more)
    with make():
        hand_in_parallel(ledger, 1)
        until(lambda: ledger.counts()["graded"] == 1, 30, "it is graded")
        assert cores == [2] and ledger.entry(1).attempts == 1
    parallel(1)
    ledger.regrade(1, by="tess")
    with make():
        until(lambda: ledger.counts()["graded"] == 1, 30, "it is graded again")
    assert cores == [2, 1] and ledger.entry(1).attempts == 1


def test_storage_that_is_away_for_a_moment_sends_nobody_to_staff(grid, storage):
    """What was to be graded meanwhile waits, uncharged."""
    ledger, make, join, _, _ = grid
    join("plain")
    hand_in(ledger, 5, "other", gpu=False)
    storage(True)
    with make():
        until(lambda: any("storage" in e.problem for e in ledger.entries("c")), 20, "it was looked for")
        time.sleep(1.5)
        assert ledger.counts()["needs-staff"] == 0
        storage(False)
        until(lambda: ledger.counts()["graded"] == 5, 30, "all are graded")
        assert sum(e.attempts for e in ledger.entries("c") if e.state is State.GRADED) == 5
