"""Imported ahead by judges of `gpu_many.py`, and by nothing else: what many of them need who share one GPU.

A GPU that grades has one tenant. Here it has ten, so that what would take hours fits into minutes, and these rules are other ones:
- memory is not scrubbed, because that takes all of it, and what a program holds is not counted: it would be everybody's;
- other processes on the GPU are no reason to drop a round: they are judges and guests of the same campaign;
- instead of a whole duel each call of it has the GPU for itself, from the flush before it to the probe behind it (but for a
  guest's first, which compiles). Elsewhere checks of correctness call kernels of microseconds, guests load on cores of their own, judges copy;
- whether work was left running is asked after calls of a duel alone, and for some seconds: a neighbour's first call is not in turn.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

from autograder.engine import worker
from autograder.judge import device, run
from autograder.judge.duel import Duel
from autograder.judge.proxy import Actor
from autograder.measure.gpu import GpuWatch, throttle_words
from autograder.measure.room import Room
from autograder.sandbox import process

LOCK, JUDGES = "AUTOGRADER_BENCH_LOCK", "AUTOGRADER_BENCH_JUDGES"
F = TypeVar("F", bound=Callable[..., Any])


class Turn:
    """The GPU, for one call at a time; the kernel gives it back when its holder dies."""

    def __init__(self) -> None:
        self._file = -1
        self.held = self.wanted = self.in_duel = False

    def take(self) -> None:
        """Waits for it, where a call of a duel is about to begin."""
        if not self.wanted:
            return
        if self._file < 0:
            self._file = os.open(Path(os.environ[LOCK]), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not self.held:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self.held = True

    def give(self) -> None:
        """To whoever waits."""
        if self.held:
            self.held = False
            fcntl.flock(self._file, fcntl.LOCK_UN)


TURN = Turn()
PROBE_TRIES = 1000  # some seconds: neighbours' first calls run unasked


def duelling(run: Callable[[Duel], Any]) -> Callable[[Duel], Any]:
    """Between its first warm-up and its last round."""

    def wrapped(duel: Duel) -> Any:
        TURN.in_duel = True
        try:
            return run(duel)
        finally:
            TURN.in_duel = False

    return wrapped


def in_turn(call: Callable[..., Any]) -> Callable[..., Any]:
    """One call, which waits for its turn in a duel unless it is its guest's first there."""

    def wrapped(actor: Actor, *arguments: Any) -> Any:
        TURN.wanted = TURN.in_duel and actor in _KNOWN
        if TURN.in_duel:
            _KNOWN.add(actor)
        try:
            return call(actor, *arguments)
        finally:
            TURN.give()
            TURN.wanted = False

    return wrapped


_KNOWN: set[Actor] = set()


def asked_in_turn(left_running: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """The probe, of a call that had the GPU for itself."""

    def wrapped(self: Any) -> bool:
        return TURN.held and left_running(self)

    return wrapped


def before(method: F, first: Callable[[], None]) -> F:
    """With something done first."""

    def wrapped(*arguments: Any, **named: Any) -> Any:
        first()
        return method(*arguments, **named)

    return cast(F, wrapped)


def after(method: F, last: Callable[[], None]) -> F:
    """With something done last, whatever happens."""

    def wrapped(*arguments: Any, **named: Any) -> Any:
        try:
            return method(*arguments, **named)
        finally:
            last()

    return cast(F, wrapped)


def complaint(self: GpuWatch, ours: Callable[[int], bool]) -> str:
    """As ever, but for other processes."""
    reasons = throttle_words(int(self._library.nvmlDeviceGetCurrentClocksThrottleReasons(self._board)))
    return f"the GPU's clocks were held down by {reasons}" if reasons else ""


@contextlib.contextmanager
def open_room(_: Room) -> Iterator[None]:
    """Nobody waits for the whole machine."""
    yield


def on_judges_cores(_: tuple[int, ...] = ()) -> None:
    """Judges stay away from all guests' cores, not from their own guest's only."""
    os.sched_setaffinity(0, {int(c) for c in os.environ[JUDGES].split(",")})


def pinned(first: Callable[[Any], None]) -> Callable[[Any], None]:
    """A guest's core is none that its judge may use."""

    def wrapped(profile: Any) -> None:
        os.sched_setaffinity(0, set(profile.cores))
        first(profile)

    return wrapped


def marked(grade: Callable[..., Any]) -> Callable[..., Any]:
    """Says in the grade that these rules held; `gpu_many.py` refuses grades without it."""

    def wrapped(*arguments: Any, **named: Any) -> Any:
        found = grade(*arguments, **named)
        return replace(found, engine=found.engine | {"many": True})

    return wrapped


def change() -> None:
    """Once, in the server that judges are forked from."""
    for kind in (device.CudaDevice, device.MemoryDevice):
        kind.scrub = lambda self: None  # type: ignore[method-assign]
        kind.settle = before(kind.settle, TURN.take)  # type: ignore[method-assign]
        kind.left_running = after(asked_in_turn(kind.left_running), TURN.give)  # type: ignore[method-assign]
    device.CudaDevice.taken = lambda self: 0  # type: ignore[method-assign]
    device.PROBE_TRIES = PROBE_TRIES
    Actor._call = in_turn(Actor._call)  # type: ignore[method-assign]
    Duel.run = duelling(Duel.run)  # type: ignore[method-assign]
    GpuWatch.complaint = complaint  # type: ignore[method-assign]
    Room.shared = Room.exclusive = open_room  # type: ignore[method-assign,assignment]
    Room.alone = True  # type: ignore[method-assign,assignment]
    run.step_aside = on_judges_cores
    process._prepare = pinned(process._prepare)
    worker.grade = marked(worker.grade)


if LOCK in os.environ:
    change()
