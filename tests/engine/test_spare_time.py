"""Runs for showing take what gradings and duels leave: a core that nobody wants, one slice at a time."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from autograder.engine.cells import SpareTime
from autograder.engine.task import Cores
from autograder.errors import SandboxError
from autograder.measure.room import Room

WAIT_S = 10.0


def begin(action: object) -> tuple[threading.Thread, threading.Event]:
    """In a thread, with a word when it is done."""
    done = threading.Event()

    def run() -> None:
        action()  # type: ignore[operator]
        done.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, done


def test_a_slice_waits_for_a_core_and_a_grading_goes_first(tmp_path: Path) -> None:
    """While cores are lent there is no slice; a grading that waits gets its cores before the next slice."""
    cores = Cores([0, 1])
    spare = SpareTime(tmp_path, cores, 0, time.monotonic() + WAIT_S)
    lent = cores.take(2)
    inside, leave = threading.Event(), threading.Event()

    def slices() -> None:
        with spare.shared():
            inside.set()
            assert leave.wait(WAIT_S)
        with spare.shared():
            pass

    _, done = begin(slices)
    assert not inside.wait(0.1)
    cores.give(lent)
    assert inside.wait(WAIT_S)
    taken: list[tuple[int, ...]] = []
    _, graded = begin(lambda: taken.append(cores.take(2)))
    assert not graded.wait(0.1), "the slice still runs"
    leave.set()
    assert graded.wait(WAIT_S) and taken == [(0, 1)]
    assert not done.wait(0.1), "no second slice while the grading has its cores"
    cores.give(taken[0])
    assert done.wait(WAIT_S)
    spare.close()


def test_what_comes_too_late_is_given_up(tmp_path: Path) -> None:
    """A node on which gradings never end keeps nobody waiting for ever."""
    cores = Cores([0])
    spare = SpareTime(tmp_path, cores, 0, time.monotonic() + 0.05)
    cores.take(1)
    with pytest.raises(SandboxError, match="left over"), spare.shared():
        pass
    spare.close()


def test_who_waits_for_a_duel_holds_no_core(tmp_path: Path) -> None:
    """And who waits for a core keeps no duel waiting."""
    cores = Cores([0, 1])
    spare, duel = SpareTime(tmp_path, cores, 0, time.monotonic() + WAIT_S), Room(tmp_path)

    def one() -> None:
        with spare.shared():
            pass

    with duel.exclusive():
        _, done = begin(one)
        assert not done.wait(0.1)
        assert cores.take(2) == (0, 1)
    assert not done.wait(0.1), "the cores are lent"
    with duel.exclusive():
        pass
    cores.give((0, 1))
    assert done.wait(WAIT_S)
    spare.close()
    duel.close()
