"""How one call of a guest ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from autograder.domain.verdict import Verdict


class Signal(StrEnum):
    """The one byte that a guest may say, and nothing else is ever read from it as meaning."""

    READY = "r"
    DONE = "d"
    RAISED = "e"
    UNWRITTEN = "u"
    WRONG_SHAPE = "s"
    NO_MEMORY = "m"
    MISSING = "n"
    EXITED = "x"
    FLOODED = "o"
    CALLBACK = "c"


VERDICT_OF = {
    Signal.RAISED: Verdict.CRASHED,
    Signal.UNWRITTEN: Verdict.MISSING_FUNCTION,
    Signal.WRONG_SHAPE: Verdict.WRONG_SHAPE,
    Signal.NO_MEMORY: Verdict.OUT_OF_MEMORY,
    Signal.MISSING: Verdict.MISSING_FUNCTION,
    Signal.EXITED: Verdict.CRASHED,
    Signal.FLOODED: Verdict.TOO_MUCH_OUTPUT,
}
UNTOUCHED = (Signal.MISSING, Signal.UNWRITTEN)  # nothing was computed, and no message is under way


@dataclass(frozen=True, slots=True)
class Usage:
    """What the sandbox counted, from outside.

    Attributes:
        cpu_s: processor seconds of the whole cgroup.
        peak_bytes: most memory.
        oom_kills: processes that the kernel killed for memory.
    """

    cpu_s: float = 0.0
    peak_bytes: int = 0
    oom_kills: int = 0


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """One call: either outputs and a time, or a verdict.

    Attributes:
        verdict: PASSED when the guest said done, did so in time and left its inputs alone; correctness is judged elsewhere.
        outputs: the judge's private copies.
        elapsed_s: the reveal→capture window, wall clock.
        note: what the guest said in words; shown only where nothing is hidden, never interpreted.
        foreign_s: CPU seconds of others on the guest's cores within the window.
        steal_s: seconds the hypervisor took from those cores within the window.
        ranks: of a world that failed, which ranks did what.
        states: the same without their numbers, for hidden checks.
        disturbed: what else makes this call's time worthless, that no student can cause.
    """

    verdict: Verdict
    outputs: tuple[Any, ...] = ()
    elapsed_s: float = 0.0
    note: str = ""
    foreign_s: float = 0.0
    steal_s: float = 0.0
    callbacks: int = 0
    ranks: str = ""
    states: str = ""
    disturbed: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """What is loaded into a guest.

    Attributes:
        lines: of a notebook: line of `solution.py` → (cell, line in cell), as `Submission` has them; else empty.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    label: str = ""
    lines: dict[int, tuple[int, int]] = field(default_factory=dict)
