"""Traces of duels whose true ratio is known: a kernel against itself with a planted share of the same work.

The rounds are made by the same code that grades: same containers, windows, hygiene.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from autograder.domain.assignment import Argument, Assignment, Dim, Function, Kind, Limits, Resources, ValueType
from autograder.domain.execution import Program
from autograder.domain.measurement import Round
from autograder.domain.verdict import Verdict
from autograder.engine.options import Options
from autograder.errors import SandboxError
from autograder.judge.proxy import Actor
from autograder.judge.run import step_aside
from autograder.measure.noise import complaint
from autograder.measure.room import Room
from autograder.measure.statistics import median
from autograder.sandbox.base import Sandbox
from autograder.sandbox.profile import Profile

_POINTS = 160
_KERNEL = """
import time
import numba
import numpy as np

@numba.njit(cache=False, fastmath=False)
def steps_of(x, y, steps):
    n = x.shape[0]
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                y[i, j] = x[i, j] + 0.1 * (x[i - 1, j] + x[i + 1, j] + x[i, j - 1] + x[i, j + 1] - 4.0 * x[i, j])
        x, y = y, x
    return x

def work(x, steps):
    return steps_of(x.copy(), x.copy(), steps)

def timed(x, steps):
    begun = time.perf_counter()
    steps_of(x.copy(), x.copy(), steps)
    return time.perf_counter() - begun
"""

_SQUARE = ValueType("", "f8", (Dim("n", 0), Dim("n", 0)))
_ARGUMENTS = (Argument("x", _SQUARE), Argument("steps", ValueType("int")))
_WORK = Function("work", _ARGUMENTS, (_SQUARE,))
_TIMED = Function("timed", _ARGUMENTS, (ValueType("float"),))


@dataclass(slots=True)
class Bench:
    """K pairs of guests with the planted kernel, on the cores where submissions are graded.

    Attributes:
        kernel_s: how long one call of the reference side takes.
    """

    sandbox: Sandbox
    options: Options
    cores: tuple[int, ...]
    state: Path
    kernel_s: float = 0.02
    pairs: list[tuple[Actor, Actor]] = field(default_factory=list)
    actors: list[Actor] = field(default_factory=list)
    room: Room | None = None
    per_step_s: float = 0.0
    empty_s: float = 0.0

    affinity: set[int] = field(default_factory=set)

    def __enter__(self) -> Self:
        self.affinity = os.sched_getaffinity(0)
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _begin(self) -> None:
        step_aside(self.cores)
        resources = Resources(len(self.cores), preload=("numpy", "numba"))
        assignment = Assignment(
            "planted",
            Path(),
            "planted",
            "",
            "",
            Kind.SERIAL,
            "",
            "",
            "",
            "",
            resources,
            Limits(),
            (_WORK, _TIMED),
            (),
            (),
        )
        profile = Profile.of(assignment, self.options.image, self.cores)
        self.room = Room(self.state)
        for k in range(self.options.pairs):
            for _ in range(2):
                self.actors.append(Actor(self.sandbox.start(profile, f"planted/{k}"), assignment, self.room))
                finding = self.actors[-1].load(Program({"solution.py": _KERNEL.encode()}))
                if finding is not None:
                    raise SandboxError(f"the planted kernel does not load: {finding}")
            self.pairs.append((self.actors[-2], self.actors[-1]))
        self._calibrate()

    def __exit__(self, *_: object) -> None:
        for actor in self.actors:
            actor.close()
            actor.guest.remove()
        if self.room is not None:
            self.room.close()
        os.sched_setaffinity(0, self.affinity)

    def _call(self, actor: Actor, steps: int) -> tuple[float, float, float]:
        outcome = actor.call(_WORK, (np.random.default_rng().random((_POINTS, _POINTS)), steps))
        if outcome.verdict is not Verdict.PASSED:
            raise SandboxError(f"the planted kernel failed: {outcome.verdict} {outcome.note}")
        return outcome.elapsed_s, outcome.foreign_s, outcome.steal_s

    def _calibrate(self) -> None:
        for actor in (a for pair in self.pairs for a in pair):
            for _ in range(4):
                self._call(actor, 200)
        actor = self.pairs[0][0]
        x = np.ones((_POINTS, _POINTS))
        self.empty_s = median([actor.empty(_WORK, (x, 1), {}, min(self.kernel_s, 0.05)).elapsed_s for _ in range(15)])
        few = median([self._call(actor, 100)[0] for _ in range(9)])
        many = median([self._call(actor, 600)[0] for _ in range(9)])
        self.per_step_s = (many - few) / 500

    def trace(self, ratio: float, rounds: int, tick: Callable[[], None] = lambda: None) -> list[Round]:
        """Rounds whose true ratio is known.

        Args:
            ratio: reference time over submission time; the submission side does 1/ratio of the work.
        """
        assert self.room is not None
        # a common divisor, so that the planted ratio is exact in whole steps
        unit = max(round(self.kernel_s / self.per_step_s / 100), 1)
        reference_steps, submission_steps = round(100 * ratio) * unit, 100 * unit
        chance, made = random.SystemRandom(), []
        with self.room.exclusive():
            for n in range(rounds):
                pair = n % len(self.pairs)
                legs = [(0, reference_steps), (1, submission_steps)]
                first = chance.random() < 0.5
                results = {
                    side: self._call(self.pairs[pair][side], steps)
                    for side, steps in (reversed(legs) if first else legs)
                }
                (reference, foreign_0, steal_0), (submission, foreign_1, steal_1) = results[0], results[1]
                grain = self.pairs[pair][0].window.watch.read().grain_s
                dropped = complaint(foreign_0 + foreign_1, steal_0 + steal_1, reference + submission, grain)
                mine, theirs = reference - self.empty_s, submission - self.empty_s
                made.append(Round(mine, theirs, mine / theirs, pair, first, dropped))
                tick()
        return made

    def truth(self, kernel_s: float, calls: int = 25) -> tuple[float, float]:
        """Seconds of the same calls of one kernel, from outside and as its own process timed them.

        Calls differ more from each other than the two clocks do: what is taken from outside is the median of the differences.
        """
        assert self.room is not None
        steps = round(kernel_s / self.per_step_s)
        actor, outside, inside = self.pairs[0][0], [], []
        rng = np.random.default_rng()
        with self.room.exclusive():
            empty_s = median(
                [
                    actor.empty(_TIMED, (rng.random((_POINTS, _POINTS)), 1), {}, min(kernel_s, 0.05)).elapsed_s
                    for _ in range(15)
                ]
            )
            for _ in range(calls):
                outcome = actor.call(_TIMED, (rng.random((_POINTS, _POINTS)), steps))
                outside.append(outcome.elapsed_s - empty_s)
                inside.append(float(outcome.outputs[0]))
        own = median(inside)
        return own + median([o - i for o, i in zip(outside, inside, strict=True)]), own


@contextlib.contextmanager
def neighbour(cores: tuple[int, ...]) -> Iterator[None]:
    """A noisy one: burns the other cores (or, without any, the same ones) and memory bandwidth in bursts."""
    import multiprocessing

    stop = multiprocessing.get_context("spawn").Event()
    process = multiprocessing.get_context("spawn").Process(target=_burn, args=(stop, cores), daemon=True)
    process.start()
    try:
        yield
    finally:
        stop.set()
        process.join(timeout=5)
        if process.is_alive():
            process.kill()


def _burn(stop: object, cores: tuple[int, ...]) -> None:
    rest = os.sched_getaffinity(0) - set(cores)
    if rest:
        os.sched_setaffinity(0, rest)
    source = np.ones(8 << 20)
    target = np.empty_like(source)
    chance = random.Random(1)  # noqa: S311  # bursts, not secrets
    while not stop.is_set():  # type: ignore[attr-defined]
        until = time.monotonic() + chance.uniform(0.02, 0.4)
        while time.monotonic() < until:
            np.copyto(target, source)
        time.sleep(chance.uniform(0.02, 0.4))
