"""Runs a notebook's cells for showing, in a guest: each cell is one call of the runner, in slices like any other turn."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

import autograder.guest
from autograder.course.cells import clean
from autograder.domain.assignment import Argument, Assignment, Dim, Function, Limits, ValueType
from autograder.domain.execution import Program
from autograder.domain.shown import CUT, Cell, CellLimits, End, Shown, ShownCell, sentence
from autograder.domain.submission import ENTRY
from autograder.domain.verdict import Verdict
from autograder.errors import SandboxError, SubmissionError
from autograder.judge.proxy import Actor
from autograder.measure.room import Room
from autograder.sandbox.base import Guest

LOAD_S = 60.0
GRACE_S = 5.0  # the runner gives a cell up by its own clock; the judge's deadline is for a runner that does not answer
_RUNNER = Path(autograder.guest.__file__).with_name("cells.py")
_WHOLE = ValueType("int")


def play(
    guest: Guest, room: Room, assignment: Assignment, name: str, cells: Sequence[Cell], files: dict[str, bytes],
    limits: CellLimits,
) -> Shown:  # fmt: skip
    """Runs cells one after another until all are done or one ends the kernel.

    Args:
        guest: of the student image, fresh; the caller ends it.
        room: its shared side is held while the guest runs.
        files: what lies beside the notebook.

    Raises:
        SandboxError: the kernel did not start, or the engine failed.
    """
    begun = time.perf_counter()
    terms = Limits(load_s=LOAD_S, call_s=limits.cell_s + GRACE_S)
    actor = Actor(guest, replace(assignment, limits=terms, callbacks=()), room)
    try:
        program = {ENTRY: _RUNNER.read_bytes()} | {f"home/{n}": c for n, c in files.items()}
        finding = actor.load(Program(program))
        if finding is not None:
            raise SandboxError(f"the kernel did not start ({finding.verdict}): {finding.detail[-500:]}")
        shown = _each(actor, cells, limits)
    finally:
        actor.release()
    return Shown(name, shown, round(time.perf_counter() - begun, 3))


def _each(actor: Actor, cells: Sequence[Cell], limits: CellLimits) -> tuple[ShownCell, ...]:
    shown: list[ShownCell] = []
    spent_s, size, over = 0.0, 0, False
    for cell in cells:
        digest = hashlib.sha256(cell.source.encode("utf-8", "surrogatepass")).hexdigest()
        if over:
            shown.append(ShownCell(cell.position, digest, (), sentence(End.NOT_RUN, limits)))
            continue
        allowed_s = min(limits.cell_s, limits.total_s - spent_s)
        end, cut, outputs, elapsed_s = _one(actor, cell.source, allowed_s, limits)
        spent_s += elapsed_s
        if spent_s >= limits.total_s:  # also after a cell that was done in time: what comes next has none left
            end = End.TOTAL
        over = end is not End.DONE
        size += sum(len(v) for o in outputs for v in o.values())
        if size > limits.total_bytes:
            end, outputs = End.FULL if end is End.DONE else end, ()
        words = (sentence(end, limits), CUT if cut else "")
        shown.append(ShownCell(cell.position, digest, outputs, " ".join(filter(None, words))))
    return tuple(shown)


def _one(
    actor: Actor, source: str, allowed_s: float, limits: CellLimits
) -> tuple[End, bool, tuple[dict[str, str], ...], float]:
    text = np.frombuffer(source.encode("utf-8", "replace"), np.uint8)
    given = (text, allowed_s, limits.text_bytes, limits.images, limits.image_bytes, limits.room)
    killed = actor.guest.usage().oom_kills
    outcome = actor.call(_RUN, given)
    if outcome.verdict is Verdict.OUT_OF_MEMORY:
        return End.MEMORY, False, (), outcome.elapsed_s
    if outcome.verdict is Verdict.TIMED_OUT:
        return End.TIME, False, (), outcome.elapsed_s
    if outcome.verdict is not Verdict.PASSED:
        return End.DIED, False, (), outcome.elapsed_s
    answer, length = outcome.outputs
    try:
        with actor.window.room.shared():  # never beside timed rounds
            end, cut, outputs = clean(answer[: max(0, min(int(length), limits.room))].tobytes(), limits)
    except SubmissionError:
        return End.DIED, False, (), outcome.elapsed_s
    if end is End.DIED and actor.guest.usage().oom_kills > killed:
        end = End.MEMORY
    return end, cut, outputs, outcome.elapsed_s


_RUN = Function(
    "run",
    (
        Argument("source", ValueType("", "u1", (Dim("n", 0),))),
        Argument("seconds", ValueType("float")),
        Argument("text_bytes", _WHOLE),
        Argument("images", _WHOLE),
        Argument("image_bytes", _WHOLE),
        Argument("room", _WHOLE),
    ),
    (ValueType("", "u1", (Dim("room", 0),)), _WHOLE),
)
