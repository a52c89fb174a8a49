"""One turn: its end, at the moments that no real guest hits twice, between the last look and the freeze; and its account."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import statistics
import time
from collections.abc import Iterator
from typing import cast

import pytest

from autograder.domain.execution import Usage
from autograder.domain.verdict import Verdict
from autograder.errors import SandboxError
from autograder.judge.window import Window, send
from autograder.measure.noise import CoreWatch
from autograder.measure.room import Room
from autograder.sandbox.base import Guest

CASES = {b"c": Verdict.TIMED_OUT, b"d": Verdict.PASSED, b"dd": Verdict.FORBIDDEN, b"": Verdict.TIMED_OUT}


class Late:
    """Stands in for a guest that speaks while it is being frozen, when its time is up."""

    def __init__(self, word: bytes) -> None:
        ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channels, self.word, self.alive, self.isolated = (ours,), word, True, True

    def ended_frozen(self) -> bool:
        """Whoever is dead before a turn was killed."""
        return not self.alive

    def thaw(self) -> None:
        """Nothing runs."""

    def freeze(self) -> None:
        """The last instructions before the kernel confirms."""
        for byte in self.word:
            self.theirs.send(bytes([byte]))

    def usage(self) -> Usage:
        """It uses nothing."""
        return Usage()

    def out_of_memory(self, before: int = 0) -> bool:
        """Never."""
        return False

    def kill(self) -> None:
        """Is what becomes of it."""
        self.alive = False


@pytest.fixture
def room(tmp_path) -> Iterator[Room]:
    """A node with nobody else on it."""
    found = Room(tmp_path)
    with found.exclusive():
        yield found


@pytest.mark.parametrize("word", CASES)
def test_a_word_said_as_time_runs_out_is_understood_as_at_any_other_time(word, room):
    """A question is a question, an answer an answer; only a word too many is a breach of the protocol."""
    guest = Late(word)
    window = Window(cast(Guest, guest), room, CoreWatch((min(os.sched_getaffinity(0)),)))
    turn = window.turn(lambda: None, 0.01, lambda: b"r")
    window.watch.close()
    for end in (*guest.channels, guest.theirs):
        end.close()
    assert turn.verdict is CASES[word]
    assert guest.alive is (turn.verdict is Verdict.PASSED)


@pytest.mark.parametrize("word, order", [(b"", ["seized", "frozen"]), (b"d", ["frozen", "seized"])])
def test_an_answer_is_seized_when_it_is_given(word, order, room):
    """Not when the freeze is confirmed: until then a device works on. Who spoke only while being frozen is not waited for."""
    done, guest = [], Late(b"" if word else b"d")
    if not word:
        guest.freeze()  # it has spoken before anybody listens
    guest.word = word
    spoken = guest.freeze
    guest.freeze = lambda: (done.append("frozen"), spoken())[1]
    window = Window(cast(Guest, guest), room, CoreWatch((min(os.sched_getaffinity(0)),)))
    turn = window.turn(lambda: None, 0.01, seize=lambda: done.append("seized"))
    window.watch.close()
    for end in (*guest.channels, guest.theirs):
        end.close()
    assert turn.verdict is Verdict.PASSED and done == order


def test_what_the_judge_did_before_a_turn_is_nobody_elses_time(room):
    """Where it shares the guest's core: the kernel charges a running process with up to a tick of delay."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        foreign = []
        for i in range(21):
            guest = Late(b"d")
            window = Window(cast(Guest, guest), room, CoreWatch((min(allowed),)))
            grain_s, until = window.watch.read().grain_s, time.perf_counter() + 0.002 + 0.0007 * i
            while time.perf_counter() < until:
                pass
            foreign.append(window.turn(lambda: None, 0.005).foreign_s)
            window.watch.close()
            for end in (*guest.channels, guest.theirs):
                end.close()
    finally:
        os.sched_setaffinity(0, allowed)
    assert statistics.median(foreign) <= max(5e-4, grain_s), foreign


class Deaf(Late):
    """One that closed its ear, left too many words unread, or has ended."""

    def __init__(self, how: str) -> None:
        super().__init__(b"d")
        self.how = how
        if how == "shut":
            self.theirs.shutdown(socket.SHUT_RD)

    def thaw(self) -> None:
        """Its group is gone with it, or the machine has a trouble of its own."""
        if self.how in ("ended", "ours"):
            self.alive = self.how == "ours"
            raise SandboxError("the guest's cgroup is gone")


@pytest.mark.parametrize(
    "how, verdict", [("shut", Verdict.CRASHED), ("unread", Verdict.FORBIDDEN), ("ended", Verdict.CRASHED)]
)
def test_who_takes_no_word_has_broken_itself(how, verdict, room):
    """Nobody gets another attempt by that."""
    guest = Deaf(how)
    window = Window(cast(Guest, guest), room, CoreWatch((min(os.sched_getaffinity(0)),)))
    if how == "unread":
        with pytest.raises(BlockingIOError):
            while True:
                guest.channels[0].send(b"g")
    turn = window.turn(send(guest.channels, b"g"), 1.0)
    window.watch.close()
    for end in (*guest.channels, guest.theirs):
        end.close()
    assert turn.verdict is verdict and window.broken is verdict and not guest.alive


def test_a_group_that_cannot_be_thawed_though_its_guest_lives_is_our_failure(room):
    """The attempt is not the student's."""
    guest = Deaf("ours")
    window = Window(cast(Guest, guest), room, CoreWatch((min(os.sched_getaffinity(0)),)))
    with pytest.raises(SandboxError, match="gone"):
        window.turn(send(guest.channels, b"g"), 1.0)
    window.watch.close()
    for end in (*guest.channels, guest.theirs):
        end.close()


@contextlib.contextmanager
def opened(guest: Late, room: Room) -> Iterator[Window]:
    """A window that is closed behind itself."""
    window = Window(cast(Guest, guest), room, CoreWatch((min(os.sched_getaffinity(0)),)))
    try:
        yield window
    finally:
        window.watch.close()
        for end in (*guest.channels, guest.theirs):
            end.close()


class Alarm(BaseException):
    """As pytest's, which no `except Exception` stops."""


def ring(*_: object) -> None:
    """In the middle of whatever is done."""
    raise Alarm


@pytest.mark.parametrize("probing", [False, True])
def test_who_is_interrupted_leaves_nobody_running(probing, room):
    """Else the guest ran on outside the room, and its late answer was taken for that of the next call."""
    guest = Late(b"")
    before = signal.signal(signal.SIGALRM, ring)
    try:
        with opened(guest, room) as window:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(Alarm):
                window.restless() if probing else window.turn(lambda: None, 5.0)
            assert not guest.alive and window.broken is Verdict.GRADER_FAILED
            assert window.turn(lambda: None, 5.0).verdict is Verdict.GRADER_FAILED
    finally:
        signal.signal(signal.SIGALRM, before)


def test_who_ends_while_it_is_watched_has_crashed(room):
    """Nothing was asked of it, and it was not frozen: no second attempt for that."""
    guest = Late(b"")
    guest.freeze = lambda: setattr(guest, "alive", False)
    with opened(guest, room) as window:
        window.patient = True
        assert not window.restless()
        assert window.turn(lambda: None, 0.01).verdict is Verdict.CRASHED


class Slippery(Late):
    """Cannot be frozen in time."""

    def freeze(self) -> None:
        """The machine is busy with something else."""
        super().freeze()
        raise SandboxError("the guest could not be frozen")


def test_who_cannot_be_frozen_is_the_machine_s_fault_once(room):
    """Only who cannot be frozen in the second attempt either has done something itself."""
    guest = Slippery(b"d")
    with opened(guest, room) as window:
        window.patient = True
        with pytest.raises(SandboxError, match="frozen"):
            window.turn(lambda: None, 0.01)
        assert not guest.alive
    with opened(Slippery(b""), room) as window:
        assert window.turn(lambda: None, 0.01).verdict is Verdict.CRASHED


def test_who_was_ended_while_frozen_has_not_crashed(room):
    """An engine that restarts, or a machine without memory, ends guests that do nothing."""
    guest = Late(b"d")
    with opened(guest, room) as window:
        window.patient = True
        assert window.turn(lambda: None, 0.01).verdict is Verdict.PASSED
        guest.alive = False
        with pytest.raises(SandboxError, match="while it was frozen"):
            window.turn(lambda: None, 0.01)


class Killed(Late):
    """The kernel killed a child of its in an earlier turn, which it survived."""

    kills = 1

    def usage(self) -> Usage:
        """So many, up to now."""
        return Usage(oom_kills=self.kills)

    def out_of_memory(self, before: int = 0) -> bool:
        """Since then."""
        return self.kills > before


def test_a_child_that_was_killed_before_does_not_explain_this_turn(room):
    """It is late, and not out of memory; but whose child dies now, is."""
    with opened(Killed(b""), room) as window:
        assert window.turn(lambda: None, 0.01).verdict is Verdict.TIMED_OUT
    guest = Killed(b"")
    with opened(guest, room) as window:
        guest.thaw = lambda: setattr(guest, "kills", 2)
        assert window.turn(lambda: None, 0.01).verdict is Verdict.OUT_OF_MEMORY
