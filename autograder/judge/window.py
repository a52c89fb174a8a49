"""Reveal → capture: the clock starts before the question can be read and stops when the judge owns the answer.

In between, and only then, the guest has the CPU. It runs in slices under the node's timing room, so that a neighbour's
duel waits for one slice at most; the deadline counts only time in which the guest was thawed.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from autograder.domain.execution import VERDICT_OF, Signal
from autograder.domain.verdict import Verdict
from autograder.errors import SandboxError
from autograder.measure.noise import CoreWatch
from autograder.measure.room import SLICE_S, Room
from autograder.sandbox.base import Guest


@dataclass(frozen=True, slots=True)
class Turn:
    """What happened while the guest had the CPU."""

    verdict: Verdict
    signal: Signal | None
    elapsed_s: float
    foreign_s: float = 0.0
    steal_s: float = 0.0
    grain_s: float = 0.0


class Window:
    """Turns of one guest.

    Attributes:
        spent_s: thawed time so far, for the overhead account.
        broken: the verdict that ended the guest's life; it gets no further turn.
    """

    def __init__(self, guest: Guest, room: Room, watch: CoreWatch) -> None:
        self.guest = guest
        self.room = room
        self.watch = watch
        self.spent_s = 0.0
        self.broken: Verdict | None = None
        # where every core is leased, the judge's own few milliseconds are not a neighbour's
        self.shares_cores = bool(os.sched_getaffinity(0) & set(watch.cores))
        guest.channel.setblocking(False)

    def turn(self, say: Callable[[], None], deadline_s: float, answer: Callable[[], bytes] | None = None) -> Turn:
        """One turn: `say` sends the byte that starts it; ends with the guest frozen or dead.

        Args:
            say: sends the command; called with the guest still frozen, after the clock has started.
            deadline_s: thawed seconds after which the guest is killed.
            answer: evaluates a callback while the guest is frozen; returns the byte to send back.

        Raises:
            SandboxError: freezing or the engine failed.
        """
        if self.broken is not None:
            return Turn(self.broken, None, 0.0)
        own = self.guest.usage()
        before, mine = self.watch.read(), time.process_time()
        elapsed, signal, first = 0.0, None, True
        while True:
            with self.room.shared():
                begun = time.perf_counter()
                if first:
                    say()
                    first = False
                self.guest.thaw()
                signal = self._wait(min(deadline_s - elapsed, 1e9 if self.room.alone else SLICE_S))
                frozen = self._freeze()
                elapsed += time.perf_counter() - begun
            if signal is None and frozen and elapsed < deadline_s and self.guest.alive:
                if self._late():  # it may have spoken between the slice's end and the freeze
                    signal = self._receive()
                if signal is None:
                    continue
            if signal is Signal.CALLBACK and answer is not None and elapsed < deadline_s:
                self.guest.channel.send(answer())
                continue
            break
        self.spent_s += elapsed
        mine = time.process_time() - mine if self.shares_cores else 0.0
        after, used = self.watch.read(), self.guest.usage()
        foreign = max(after.busy_s - before.busy_s - (used.cpu_s - own.cpu_s) - mine, 0.0)
        verdict = self._verdict(signal, elapsed >= deadline_s, frozen)
        if verdict is Verdict.CRASHED and used.oom_kills > own.oom_kills:
            verdict = Verdict.OUT_OF_MEMORY  # a child of the student's was killed, and the parent raised for it
        return Turn(verdict, signal, elapsed, foreign, after.steal_s - before.steal_s, after.grain_s)

    def _wait(self, seconds: float) -> Signal | None:
        """One byte, or nothing within the time; a closed channel says nothing for ever."""
        if seconds <= 0:
            return None
        ready, _, _ = select.select([self.guest.channel], [], [], seconds)
        return self._receive() if ready else None

    def _receive(self) -> Signal | None:
        try:
            said = self.guest.channel.recv(2)
        except (BlockingIOError, ConnectionError):
            return None
        try:
            return Signal(said.decode("ascii"))
        except ValueError:  # two bytes, none (hung up), or one that means nothing
            self.broken = Verdict.CRASHED if not said else Verdict.FORBIDDEN
            return None

    def _late(self) -> bool:
        return self.broken is None and bool(select.select([self.guest.channel], [], [], 0)[0])

    def _freeze(self) -> bool:
        try:
            self.guest.freeze()
        except SandboxError:
            return False
        return True

    def _verdict(self, signal: Signal | None, late: bool, frozen: bool) -> Verdict:
        """Names the turn's end, and ends the guest's life unless it can go on."""
        alive = frozen and self.guest.alive
        if signal in (Signal.DONE, Signal.READY) and alive and not self._late():
            return Verdict.PASSED
        if signal in VERDICT_OF and alive and not self._late():
            return VERDICT_OF[signal]
        if self.broken is None:
            if self._late() or (signal is not None and alive):
                self.broken = Verdict.FORBIDDEN  # more bytes than the protocol has
            elif late and alive:
                self.broken = Verdict.TIMED_OUT
            else:
                self.broken = Verdict.CRASHED
        if self.guest.out_of_memory():
            self.broken = Verdict.OUT_OF_MEMORY
        self.guest.kill()
        return self.broken


def send(channel: socket.socket, command: bytes) -> Callable[[], None]:
    """A `say` for `Window.turn`: one byte."""

    def say() -> None:
        try:
            channel.send(command)
        except OSError as error:
            raise SandboxError(f"the guest's channel is closed: {error}") from error

    return say
