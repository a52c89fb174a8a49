"""Reveal → capture: the clock starts before the question can be read and stops when the judge owns the answer.

In between, and only then, the guest has the CPU. It runs in slices under the node's timing room, so that a neighbour's
duel waits for one slice at most; the deadline counts only time in which the guest was thawed.

A guest may hold a world of ranks, with a channel each: all are thawed together, and the turn ends when every rank has
spoken, or when one has failed and the others had a moment to say so, too.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from autograder.domain.execution import UNTOUCHED, VERDICT_OF, Signal
from autograder.domain.verdict import Verdict
from autograder.errors import SandboxError
from autograder.judge.wording import ranks_in_words
from autograder.measure.noise import CoreWatch
from autograder.measure.room import SLICE_S, Room
from autograder.sandbox.base import Guest

GRACE_S = 0.2  # for the other ranks, after one has failed
# A BLAS lets its threads spin for some tens of milliseconds after a call; whoever left work running spins on.
SETTLE_S, PROBE_S, PROBE_BUSY, PROBES = 0.08, 0.04, 0.6, 4


class HungUp(SandboxError):
    """A guest took no word: it closed its channel, or left so many unread that no more fit. That is its own doing."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"the guest's channel is closed: {error}")
        self.verdict = Verdict.FORBIDDEN if isinstance(error, BlockingIOError) else Verdict.CRASHED


@dataclass(frozen=True, slots=True)
class Turn:
    """What happened while the guest had the CPU.

    Attributes:
        ranks: of a world that failed, which ranks did what.
        states: the same without numbers, for hidden checks: a submission chooses what its ranks do, and could count by them.
        culprit: the rank whose words explain the verdict.
    """

    verdict: Verdict
    elapsed_s: float
    foreign_s: float = 0.0
    steal_s: float = 0.0
    grain_s: float = 0.0
    ranks: str = ""
    states: str = ""
    culprit: int = 0


class Window:
    """Turns of one guest.

    Attributes:
        spent_s: thawed time so far, for the overhead account.
        broken: the verdict that ended the guest's life; it gets no further turn.
        patient: whether what the machine may have done to the guest is an error of ours, worth a fresh one, and not yet its own doing.
    """

    def __init__(self, guest: Guest, room: Room, watch: CoreWatch) -> None:
        self.guest = guest
        self.room = room
        self.watch = watch
        self.spent_s = 0.0
        self.broken: Verdict | None = None
        self.patient = False
        # where every core is leased, the judge's own few milliseconds are not a neighbour's
        self.shares_cores = bool(os.sched_getaffinity(0) & set(watch.cores))
        self._heard: dict[int, Signal] = {}
        self._lost: list[int] = []
        for channel in guest.channels:
            channel.setblocking(False)

    def turn(
        self, say: Callable[[], None], deadline_s: float,
        answer: Callable[[], bytes] | None = None, seize: Callable[[], None] = lambda: None,
    ) -> Turn:  # fmt: skip
        """One turn: `say` sends the byte that starts it; ends with the guest frozen or dead.

        Args:
            say: reveals the inputs and sends the command; called with the guest still frozen, after the clock has started.
            deadline_s: thawed seconds after which the guest is killed.
            answer: evaluates a callback while the guest is frozen; returns the byte to send back (not for worlds).
            seize: takes the answer away from what a freezer does not stop; called as soon as the guest has spoken, before it
                is frozen and the clock stops.

        Raises:
            SandboxError: freezing or the engine failed.
        """
        if self.broken is not None:
            return Turn(self.broken, 0.0)
        with self._or_dead():
            return self._turn(say, deadline_s, answer, seize)

    @contextlib.contextmanager
    def _or_dead(self) -> Iterator[None]:
        """Whatever interrupts the judge, an alarm among it: nobody runs on outside the room, or answers the next question with this one's."""
        try:
            yield
        except BaseException:
            self.broken = self.broken or Verdict.GRADER_FAILED
            with contextlib.suppress(SandboxError):
                self.guest.kill()
            raise

    def _turn(
        self, say: Callable[[], None], deadline_s: float, answer: Callable[[], bytes] | None, seize: Callable[[], None]
    ) -> Turn:
        if self.patient and self.guest.ended_frozen():
            raise SandboxError("somebody ended a guest while it was frozen")
        own = self.guest.usage()
        # asked for its own time, the kernel charges it to the cores, too: else up to a tick of it would count as a neighbour's
        mine, before = time.process_time(), self.watch.read()
        elapsed, first, frozen = 0.0, True, True
        self._heard.clear()
        while True:
            with self.room.shared():
                begun = time.perf_counter()
                if not self._resumed(say if first else lambda: None):
                    break
                first = False
                self._listen(min(deadline_s - elapsed, 1e9 if self.room.alone else SLICE_S))
                if taken := self._over:
                    seize()  # before the freeze: what a device does meanwhile is too late
                frozen = self._freeze()
                if not self._over and frozen:
                    self._listen(0)  # it may have spoken between the slice's end and the freeze
                if self._over and frozen and not taken:
                    seize()
                elapsed += time.perf_counter() - begun
            if not self._over and frozen and self.guest.alive and elapsed < deadline_s:
                continue
            if answer is not None and self._heard.get(0) is Signal.CALLBACK and elapsed < deadline_s:
                self._heard.clear()
                say = send(self.guest.channels, answer())
                first = True
                continue
            break
        self.spent_s += elapsed
        mine = time.process_time() - mine if self.shares_cores else 0.0
        after, used = self.watch.read(), self.guest.usage()
        foreign = max(after.busy_s - before.busy_s - (used.cpu_s - own.cpu_s) - mine, 0.0)
        verdict, culprit, (ranks, states) = self._verdict(elapsed >= deadline_s, frozen, own.oom_kills)
        if verdict is Verdict.CRASHED and used.oom_kills > own.oom_kills:
            verdict = Verdict.OUT_OF_MEMORY  # a child of the student's was killed, and the parent raised for it
        return Turn(verdict, elapsed, foreign, after.steal_s - before.steal_s, after.grain_s, ranks, states, culprit)

    def _resumed(self, say: Callable[[], None]) -> bool:
        """Whether it was told and runs; one that takes no word, or has ended meanwhile, has broken itself."""
        try:
            say()
            self.guest.thaw()
        except HungUp as error:
            self.broken = error.verdict
        except SandboxError:
            if self.guest.alive:
                raise
            self.broken = Verdict.CRASHED
        return self.broken is None

    @property
    def _over(self) -> bool:
        """Whether every rank has spoken, or one has failed."""
        return len(self._heard) == len(self.guest.channels) or self._failed

    @property
    def _failed(self) -> bool:
        return self.broken is not None or any(s in VERDICT_OF for s in self._heard.values())

    def _listen(self, seconds: float) -> None:
        """A byte from every rank, or as many as come within the time."""
        until = time.monotonic() + max(seconds, 0.0)
        late = False
        while len(self._heard) < len(self.guest.channels):
            silent = {c: r for r, c in enumerate(self.guest.channels) if r not in self._heard and r not in self._lost}
            if not silent:
                return
            ready, _, _ = select.select(list(silent), [], [], max(until - time.monotonic(), 0.0))
            if not ready:
                return
            for channel in ready:
                self._receive(silent[channel], channel)
            if self._failed and not late:
                late, until = True, min(until, time.monotonic() + GRACE_S)

    def _receive(self, rank: int, channel: socket.socket) -> None:
        try:
            said = channel.recv(2)
        except (BlockingIOError, ConnectionError):
            return
        try:
            self._heard[rank] = Signal(said.decode("ascii"))
        except ValueError:  # two bytes, none (hung up), or one that means nothing
            self._lost.append(rank)
            self.broken = self.broken or (Verdict.CRASHED if not said else Verdict.FORBIDDEN)

    def _surplus(self) -> Verdict | None:
        """What a rank did after it had answered: hung up, or said more than the protocol has; nothing is the rule."""
        if self.broken is not None:
            return None
        found = None
        ready, _, _ = select.select(self.guest.channels, [], [], 0)
        for channel in ready:
            try:
                more = channel.recv(1, socket.MSG_PEEK)
            except (BlockingIOError, ConnectionError):
                more = b""
            if more:
                return Verdict.FORBIDDEN
            self._lost.append(self.guest.channels.index(channel))
            found = Verdict.CRASHED
        return found

    def _freeze(self) -> bool:
        try:
            self.guest.freeze()
        except SandboxError:
            if self.patient and self.guest.alive:
                raise
            return False
        return True

    def restless(self) -> bool:
        """Whether the guest burns CPU although nothing was asked of it."""
        if self.broken is not None:
            return False
        busy = 1.0
        with self._or_dead(), self.room.shared():
            if not self.guest.alive:  # its next turn says so
                return False
            self.guest.thaw()
            for _ in range(PROBES):
                time.sleep(SETTLE_S)
                before, begun = self.guest.usage().cpu_s, time.perf_counter()
                time.sleep(PROBE_S)
                busy = (self.guest.usage().cpu_s - before) / (time.perf_counter() - begun)
                if busy <= PROBE_BUSY:
                    break
            self.guest.freeze()
            if not self.guest.alive:  # it ended while it ran, which is its own doing
                self.broken = Verdict.CRASHED
        return busy > PROBE_BUSY and self.broken is None

    def _verdict(self, late: bool, frozen: bool, oom_kills: int) -> tuple[Verdict, int, tuple[str, str]]:
        """Names the turn's end, and ends the guest's life unless it can go on.

        Args:
            oom_kills: that the kernel had counted before the turn: a child of an earlier one may have survived them.
        """
        alive = frozen and self.guest.alive
        size = len(self.guest.channels)
        surplus = self._surplus()
        answered = len(self._heard) == size and alive and surplus is None
        failed = sorted(r for r, s in self._heard.items() if s in VERDICT_OF)
        culprit = failed[0] if failed else self._lost[0] if self._lost else 0
        heard = sorted(r for r in self._heard if r not in self._lost)
        words = ranks_in_words(size, failed, sorted(self._lost), heard) if size > 1 else ("", "")
        if answered and not failed and Signal.CALLBACK not in self._heard.values():
            return Verdict.PASSED, 0, ("", "")
        if answered and failed and (size == 1 or all(s in UNTOUCHED for s in self._heard.values())):
            return VERDICT_OF[self._heard[culprit]], culprit, words
        if self.broken is None:
            if surplus is not None:
                self.broken = surplus
            elif Signal.CALLBACK in self._heard.values():  # time is up, or nobody may ask here
                self.broken = Verdict.TIMED_OUT if late else Verdict.FORBIDDEN
            elif failed:  # the other ranks wait for a message that will not come, or hold one that nobody takes
                self.broken = VERDICT_OF[self._heard[failed[0]]]
            elif late and alive:
                self.broken = Verdict.TIMED_OUT
            else:
                self.broken = Verdict.CRASHED
        if self.guest.out_of_memory(oom_kills):
            self.broken = Verdict.OUT_OF_MEMORY
        self.guest.kill()
        return self.broken, culprit, words


def send(channels: tuple[socket.socket, ...], command: bytes) -> Callable[[], None]:
    """A `say` for `Window.turn`: one byte to every rank; raises HungUp."""

    def say() -> None:
        try:
            for channel in channels:
                channel.send(command)
        except OSError as error:
            raise HungUp(error) from error

    return say
