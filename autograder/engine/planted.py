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

from autograder.domain.assignment import Function
from autograder.domain.execution import CallOutcome, Program
from autograder.domain.measurement import Round
from autograder.domain.verdict import Verdict
from autograder.engine.kernels import CPU, GPU, Kernel
from autograder.engine.options import Options
from autograder.errors import SandboxError
from autograder.judge.device import Device, device_of
from autograder.judge.empties import EMPTY_CALLS, LONGEST_SPIN_S, Empties
from autograder.judge.proxy import Actor
from autograder.judge.run import step_aside
from autograder.measure.noise import complaint
from autograder.measure.room import Room
from autograder.measure.statistics import median
from autograder.sandbox.base import Sandbox
from autograder.sandbox.profile import Profile


@dataclass(slots=True)
class Bench:
    """K pairs of guests with the planted kernel, on the cores where submissions are graded.

    Attributes:
        kernel_s: how long one call of the reference side takes.
        gpu: UUID of the device that the kernel runs on, or empty.
    """

    sandbox: Sandbox
    options: Options
    cores: tuple[int, ...]
    state: Path
    kernel_s: float = 0.02
    gpu: str = ""
    pairs: list[tuple[Actor, Actor]] = field(default_factory=list)
    actors: list[Actor] = field(default_factory=list)
    room: Room | None = None
    per_step_s: float = 0.0
    empties: Empties | None = None
    affinity: set[int] = field(default_factory=set)
    device: Device | None = None

    @property
    def kernel(self) -> Kernel:
        """What runs."""
        return GPU if self.gpu else CPU

    @property
    def first(self) -> list[tuple[Actor, Actor]]:
        """Those that a duel has when it begins."""
        return self.pairs[: Options().pairs]

    def _ours(self, pid: int) -> bool:
        return any(a.guest.holds(pid) for a in self.actors)

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
        assignment = self.kernel.assignment(len(self.cores))
        image = self.options.gpu_image if self.gpu else self.options.image
        profile = Profile.of(assignment, image, self.cores, gpu=self.gpu)
        if self.gpu:
            self.device = device_of(self.gpu)
        self.room = Room(self.state)
        for k in range(self.options.pairs):
            for _ in range(2):
                guest = self.sandbox.start(profile, f"planted/{k}")
                self.actors.append(Actor(guest, assignment, self.room, self.device, self._ours))
                finding = self.actors[-1].load(Program({"solution.py": self.kernel.program.encode()}))
                if finding is not None:
                    raise SandboxError(f"the planted kernel does not load: {finding}")
            self.pairs.append((self.actors[-2], self.actors[-1]))
        self._calibrate()

    def __exit__(self, *_: object) -> None:
        with contextlib.ExitStack() as last:  # whatever of it fails, the rest is done
            last.callback(os.sched_setaffinity, 0, self.affinity)
            for held in (self.room, self.device):
                if held is not None:
                    last.callback(held.close)
            for actor in self.actors:
                last.callback(actor.guest.remove)
                last.callback(actor.close)

    def _call(self, actor: Actor, steps: int) -> CallOutcome:
        work, _ = self.kernel.functions
        outcome = actor.call(work, (self.kernel.draw(), steps))
        if outcome.verdict is not Verdict.PASSED:
            raise SandboxError(f"the planted kernel failed: {outcome.verdict} {outcome.note}")
        return outcome

    def _empties(self, function: Function, kernel_s: float) -> Empties:
        """As a duel asks: guests of its first pairs in turn, and a call of another one's in between."""
        made, actors = Empties({}, min(kernel_s, LONGEST_SPIN_S), kernel_s), [reference for reference, _ in self.first]
        for n in range(EMPTY_CALLS + len(actors)):
            self._call(actors[(n + 1) % len(actors)], round(made.spin_s / self.per_step_s))
            self._ask(made, actors[n % len(actors)], function)
        return made

    def _ask(self, empties: Empties, actor: Actor, function: Function) -> None:
        empties.add(actor.empty(function, (self.kernel.draw(), 1), {}, empties.spin_s).elapsed_s)

    def _calibrate(self) -> None:
        assert self.room is not None
        few, many = self.kernel.few, self.kernel.many
        for actor in (a for pair in self.pairs for a in pair):
            for _ in range(4):
                self._call(actor, 2 * few)
        actor = self.pairs[0][0]
        with self.room.exclusive():
            slow, quick = (median([self._call(actor, n).elapsed_s for _ in range(9)]) for n in (many, few))
        self.per_step_s = (slow - quick) / (many - few)
        self.aim(self.kernel_s)

    def aim(self, kernel_s: float) -> None:
        """From now on the reference side's calls take that long; an empty call that waits as long is timed."""
        assert self.room is not None
        self.kernel_s = kernel_s
        with self.room.exclusive():
            self.empties = self._empties(self.kernel.functions[0], kernel_s)

    def trace(self, ratio: float, rounds: int, tick: Callable[[], None] = lambda: None) -> list[Round]:
        """Rounds whose true ratio is known.

        Args:
            ratio: reference time over submission time; the submission side does 1/ratio of the work.
        """
        assert self.room is not None and self.empties is not None
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
                reference, submission = results[0], results[1]
                grain = self.pairs[pair][0].window.watch.read().grain_s
                empty_s = self.empties.seconds
                dropped = reference.disturbed or submission.disturbed or complaint(
                    reference.foreign_s + submission.foreign_s, reference.steal_s + submission.steal_s,
                    reference.elapsed_s + submission.elapsed_s, grain,
                )  # fmt: skip
                if not dropped and reference.elapsed_s <= empty_s:
                    dropped = "the reference took no longer than an empty call"
                mine, theirs = (net(outcome.elapsed_s, empty_s) for outcome in (reference, submission))
                made.append(Round(mine, theirs, mine / theirs, pair, first, dropped))
                if self.empties.due(n + 1):
                    self._ask(self.empties, self.pairs[(pair + 1) % len(self.pairs)][0], self.kernel.functions[0])
                tick()
        return made

    def truth(self, kernel_s: float, calls: int = 15) -> tuple[float, float]:
        """Seconds of the same calls of one kernel, from outside and by the kernel's own clock; guests come as in a duel.

        Calls differ more from each other than the two clocks do: what is taken from outside is the median of the differences.
        """
        assert self.room is not None
        steps = round(kernel_s / self.per_step_s)
        outside, inside = list[float](), list[float]()
        _, timed = self.kernel.functions
        with self.room.exclusive():
            empty_s = self._empties(timed, kernel_s).seconds
            order = [a for n in range(calls) for a in random.sample(self.first[n % len(self.first)], 2)]
            for actor in order:
                outcome = actor.call(timed, (self.kernel.draw(), steps))
                outside.append(outcome.elapsed_s - empty_s)
                inside.append(float(outcome.outputs[1]))
        own = median(inside)
        return own + median([o - i for o, i in zip(outside, inside, strict=True)]), own


def net(elapsed_s: float, empty_s: float) -> float:
    """Seconds of a call less the empty call; never below a twentieth of it, as in a duel."""
    return max(elapsed_s - empty_s, empty_s / 20)


@contextlib.contextmanager
def neighbour(cores: tuple[int, ...]) -> Iterator[None]:
    """A noisy one: burns the other cores (or, without any, the same ones) and memory bandwidth in bursts.

    It ends with the block, and within a burst of the end of this process, whatever ended that.
    """
    import multiprocessing

    stop = multiprocessing.get_context("spawn").Event()
    process = multiprocessing.get_context("spawn").Process(target=_burn, args=(stop, cores, os.getpid()), daemon=True)
    process.start()
    try:
        yield
    finally:
        stop.set()
        process.join(timeout=5)
        if process.is_alive():
            process.kill()


def _burn(stop: object, cores: tuple[int, ...], parent: int) -> None:
    rest = os.sched_getaffinity(0) - set(cores)
    if rest:
        os.sched_setaffinity(0, rest)
    source = np.ones(8 << 20)
    target = np.empty_like(source)
    chance = random.Random(1)  # noqa: S311  # bursts, not secrets
    while os.getppid() == parent and not stop.is_set():  # type: ignore[attr-defined]
        until = time.monotonic() + chance.uniform(0.02, 0.4)
        while time.monotonic() < until:
            np.copyto(target, source)
        time.sleep(chance.uniform(0.02, 0.4))
