"""What a check sees of a guest: functions in, plain NumPy copies out; anything else is a finding."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from autograder.domain.assignment import Assignment, Function
from autograder.domain.execution import CallOutcome, Program
from autograder.domain.verdict import Finding, Verdict
from autograder.errors import SandboxError
from autograder.judge.buffers import Buffers, Plan, bind, plan
from autograder.judge.compare import CheckFailure
from autograder.judge.deal import deal
from autograder.judge.device import Device
from autograder.judge.device_buffers import DeviceBuffers
from autograder.judge.window import Turn, Window, send
from autograder.measure.machine import copy_bandwidth
from autograder.measure.noise import CoreWatch
from autograder.measure.room import Room
from autograder.measure.rotation import MOST_PAIRS
from autograder.sandbox.base import Guest

ATTACH_S = 10.0


class Actor:
    """One guest with its buffers, or a world of ranks with buffers for each: loads a program, makes calls."""

    def __init__(
        self, guest: Guest, assignment: Assignment, room: Room, device: Device | None = None,
        ours: Callable[[int], bool] = lambda _: True,
    ) -> None:  # fmt: skip
        """Args:
        device: where the guest's arrays live, of a GPU assignment on a machine with one.
        ours: whether a pid belongs to any guest of this grading.
        """
        self.ours = ours
        self.guest = guest
        self.device = device
        self.assignment = assignment
        self.window = Window(guest, room, CoreWatch(guest.profile.cores))
        self.buffers = [
            Buffers(channel) if device is None else DeviceBuffers(channel, device) for channel in guest.channels
        ]
        self.callbacks = {f.name: f for f in assignment.callbacks}
        self.load_s = 0.0
        self.held = 0  # bytes of the device's memory that were taken in its turns: only one guest has a turn at a time

    @property
    def bandwidth(self) -> float:
        """Bytes a second, read plus written, at which what holds the guest's arrays copies."""
        return copy_bandwidth() if self.device is None else self.device.bandwidth

    def further(self, pairs: int) -> int:
        """How many pairs of guests could join so many: all that are ever wanted, unless a device's memory has no room."""
        return MOST_PAIRS if self.device is None else self.device.further(pairs)

    def load(self, program: Program) -> Finding | None:
        """Imports the submitted files inside; returns what went wrong.

        Raises:
            SandboxError: the guest ended before it was given anything.
        """
        adapter = "adapter.py" if "adapter.py" in program.files else ""
        needed = [b.write_files(program.files, "solution.py", adapter) for b in self.buffers]
        if not self._attached([(n, 0) for n in needed]):
            turn = self._attach()
            if turn.verdict is not Verdict.PASSED:  # nobody's code has run in it
                raise SandboxError(f"a fresh guest did not take its buffers: {turn.verdict}")
            for buffers in self.buffers:
                buffers.write_files(program.files, "solution.py", adapter)
        turn = self._turn(send(self.guest.channels, b"L"), self.assignment.limits.load_s)
        self.load_s = turn.elapsed_s
        if turn.verdict is Verdict.PASSED:
            return None
        kept = (Verdict.TIMED_OUT, Verdict.OUT_OF_MEMORY, Verdict.TOO_MUCH_OUTPUT, Verdict.FORBIDDEN)
        verdict = turn.verdict if turn.verdict in kept else Verdict.DID_NOT_LOAD
        return Finding(verdict, f"{turn.ranks}\n{in_cells(self._words(turn), program.lines)}".strip(), turn.states)

    def _attached(self, sizes: list[tuple[int, int]]) -> bool:
        """Whether every rank's maps are large enough; larger files are made where they are not."""
        return all([b.fits(*size) for b, size in zip(self.buffers, sizes, strict=True)])  # each one, not the first

    def _attach(self) -> Turn:
        """What is unmapped in this turn was the judge's: only what is taken in it is counted as the guest's."""
        held = self.held
        turn = self._turn(self._offer, ATTACH_S)
        self.held = max(held, self.held)
        return turn

    def _turn(self, *turn: Any) -> Turn:
        """A turn of the guest's; one that holds too much of the device's memory behind it has had its last.

        Whoever took all of it would make the next call fail, the reference's or the judge's own.
        """
        if self.device is None:
            return self.window.turn(*turn)
        before = self.device.taken()
        made = self.window.turn(*turn)
        self.held = max(self.held + self.device.taken() - before, 0)
        if self._fits or self.window.broken is not None:
            return made
        if neighbours := self.device.neighbours(self.ours):
            raise SandboxError(f"memory of the GPU was taken in a call, perhaps not by the program: {neighbours}")
        self.window.broken = Verdict.OUT_OF_MEMORY
        self.guest.kill()
        return replace(made, verdict=Verdict.OUT_OF_MEMORY)

    @property
    def _fits(self) -> bool:
        return self.held <= self.assignment.resources.device_memory_mb << 20

    def _words(self, turn: Turn) -> str:
        """Why a turn failed: what the guest says, or what it had taken."""
        if self._fits or turn.verdict is not Verdict.OUT_OF_MEMORY:
            return self.buffers[turn.culprit].words()
        held, allowed = self.held >> 20, self.assignment.resources.device_memory_mb
        return f"it held {held} MiB of the GPU's memory; {allowed} MiB are allowed beside arguments and results"

    def _offer(self) -> None:
        try:
            for buffers in self.buffers:
                buffers.offer()
        except OSError as error:
            raise SandboxError(f"the guest's channel is closed: {error}") from error

    def call(
        self, function: Function, given: tuple[Any, ...], named: dict[str, Any] | None = None, most_s: float = math.inf
    ) -> CallOutcome:
        """One call, from fresh inputs to private copies; ended after `call_s` or `most_s`, whichever is less."""
        return self._call(function, given, named or {}, b"G", most_s=most_s)

    def empty(self, function: Function, given: tuple[Any, ...], named: dict[str, Any], spin_s: float) -> CallOutcome:
        """A call that spins instead of computing; what it takes beyond that is what every call costs.

        It spins as long as a kernel runs, because a judge that has slept that long wakes later than one that has not.
        Only a trusted guest is asked: this one believes its clock.
        """
        outcome = self._call(function, given, named, b"E", spin_s)
        return replace(outcome, elapsed_s=outcome.elapsed_s - spin_s)

    def _call(
        self, function: Function, given: tuple[Any, ...], named: dict[str, Any], command: bytes, spin_s: float = 0.0,
        most_s: float = math.inf,
    ) -> CallOutcome:  # fmt: skip
        bound = bind(function, given, named)
        shares = deal(function, bound, len(self.buffers)) if function.comm else [bound]
        packed = bool(self.guest.profile.device)  # without a GPU, too: what students see must not differ
        layouts = [plan(function, share, self.callbacks, packed=packed) for share in shares]
        for layout in layouts:
            layout.header["spin"] = spin_s
        if not self._attached([(x.input_bytes, x.output_bytes) for x in layouts]):
            turn = self._attach()
            if turn.verdict is not Verdict.PASSED:
                return CallOutcome(
                    turn.verdict, note="the guest did not take its buffers", ranks=turn.ranks, states=turn.states
                )
        pairs = list(zip(self.buffers, layouts, strict=True))
        for buffers, layout in pairs:
            buffers.prepare(layout)
        go = send(self.guest.channels, command)

        def say() -> None:
            for buffers, layout in pairs:
                buffers.reveal(layout)
            go()

        def seize() -> None:
            for buffers, layout in pairs:
                buffers.seize(layout)

        evaluator = _Evaluator(self.buffers[0], layouts[0], {a.name: v for a, v in bound})
        answer = evaluator if layouts[0].callbacks else None
        turn = self._turn(say, min(self.assignment.limits.call_s, most_s), answer, seize)
        if evaluator.error is not None:
            raise evaluator.error
        return self._outcome(turn, function, layouts, evaluator.count)

    def _outcome(self, turn: Turn, function: Function, layouts: list[Plan], callbacks: int) -> CallOutcome:
        if turn.verdict is not Verdict.PASSED:
            note = self._words(turn)
            return CallOutcome(turn.verdict, elapsed_s=turn.elapsed_s, note=note, ranks=turn.ranks, states=turn.states)
        if self.device is not None and self.device.left_running():
            if neighbours := self.device.neighbours(self.ours):
                raise SandboxError(f"work ran on the GPU after a call, perhaps not the program's: {neighbours}")
            return CallOutcome(Verdict.WORK_LEFT_RUNNING, elapsed_s=turn.elapsed_s, note="kernels still ran on the GPU")
        pairs = list(zip(self.buffers, layouts, strict=True))
        outputs = [buffers.capture(layout) for buffers, layout in pairs]
        changed = [rank for rank, (buffers, layout) in enumerate(pairs) if buffers.modified(layout)]
        verdict = Verdict.INPUTS_MODIFIED if changed else Verdict.PASSED
        found = outputs[0]
        if function.comm:  # a list with every rank's value
            found = ([o[0] if len(o) == 1 else o for o in outputs],)
        why = "" if self.device is None else self.device.complaint(self.ours)
        return CallOutcome(verdict, found, turn.elapsed_s, "", turn.foreign_s, turn.steal_s, callbacks, disturbed=why)

    def close(self) -> None:
        """Ends the guest and gives up the buffers."""
        self.guest.kill()
        self.release()

    def release(self) -> None:
        """Gives up the buffers; the guest lives on."""
        for buffers in self.buffers:
            buffers.close()
        self.window.watch.close()


class _Evaluator:
    """Evaluates callbacks in the judge, where nobody can lie about their number."""

    def __init__(self, buffers: Buffers, layout: Plan, values: dict[str, Any]) -> None:
        self.buffers, self.layout, self.values = buffers, layout, values
        self.count = 0
        self.error: Exception | None = None

    def __call__(self) -> bytes:
        (name, (slots, back)), *more = self.layout.callbacks.items()
        assert not more, "one callback per function"
        arguments = [s.on(self.buffers.output.view).copy() for s in slots]
        self.count += 1
        try:
            result = self.values[name](*(a.item() if s.scalar else a for s, a in zip(slots, arguments, strict=True)))
            for slot, value in zip(back, (result,) if len(back) == 1 else result, strict=True):
                slot.on(self.buffers.input.view)[...] = value
        except Exception as error:  # noqa: BLE001  # a check's own mistake: told to the judge, not to the student
            self.error = error
            return b"x"
        return b"r"


class Proxy:
    """`submission` and `reference` of the checks."""

    def __init__(
        self,
        call: Callable[[Function, tuple[Any, ...], dict[str, Any]], CallOutcome],
        assignment: Assignment,
        lines: dict[int, tuple[int, int]],
    ) -> None:
        self._call = call
        self._assignment = assignment
        self._lines = lines

    def __getattr__(self, name: str) -> Callable[..., Any]:
        try:
            function = self._assignment.function(name)
        except StopIteration:
            raise AttributeError(f"{name} is not declared in assignment.toml of {self._assignment.slug}") from None

        def call(*given: Any, **named: Any) -> Any:
            return unwrap(self._call(function, given, named), function, self._lines)

        return call


def unwrap(outcome: CallOutcome, function: Function, lines: dict[int, tuple[int, int]]) -> Any:
    """The call's value, or a finding with the guest's words."""
    if outcome.verdict is not Verdict.PASSED:
        note = in_cells(outcome.note, lines)
        words = "\n".join(filter(None, (outcome.ranks, function.signature, note)))
        plain = outcome.states
        if outcome.verdict is Verdict.MISSING_FUNCTION:  # in our words: the guest's may hold what it was asked before
            plain = f"It is {function.signature}."
        elif outcome.verdict is Verdict.WRONG_SHAPE:
            plain = f"Declared is {function.signature}. {plain}".strip()
        raise CheckFailure(Finding(outcome.verdict, words, plain))
    return outcome.outputs[0] if len(outcome.outputs) == 1 else outcome.outputs


def in_cells(note: str, lines: dict[int, tuple[int, int]]) -> str:
    """Line numbers of `solution.py` as the student knows them: cell and line of the notebook."""
    if not lines:
        return note

    def place(match: re.Match[str]) -> str:
        cell, line = lines.get(int(match[1]), (0, 0))
        return f"cell {cell}, line {line}" if cell else match[0]

    return re.sub(r'File "[^"]*solution\.py", line (\d+)', place, note)
