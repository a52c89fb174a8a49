"""Every verdict, who is at fault, and the one sentence that a student reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Who has to act."""

    NOBODY = "nobody"
    STUDENT = "student"
    OURS = "ours"

    @property
    def mark(self) -> str:
        """Before a verdict, for who sees no colour."""
        return _MARKS[self]


_MARKS = {Fault.NOBODY: "✓", Fault.STUDENT: "✗", Fault.OURS: "…"}


class Verdict(StrEnum):
    """Codes of the JSON contract."""

    PASSED = "passed"
    WRONG_ANSWER = "wrong-answer"
    WRONG_SHAPE = "wrong-shape"
    NOT_FINITE = "not-finite"
    INPUTS_MODIFIED = "inputs-modified"
    TOO_SLOW = "too-slow"
    TIMED_OUT = "timed-out"
    OUT_OF_MEMORY = "out-of-memory"
    CRASHED = "crashed"
    DID_NOT_LOAD = "did-not-load"
    MISSING_FUNCTION = "missing-function"
    TOO_MUCH_OUTPUT = "too-much-output"
    WORK_LEFT_RUNNING = "work-left-running"
    FORBIDDEN = "forbidden"
    NOT_MEASURED = "not-measured"
    NOT_AS_CLAIMED = "not-as-claimed"
    WAITING_FOR_HARDWARE = "waiting-for-hardware"
    INCONCLUSIVE = "inconclusive"
    GRADER_FAILED = "grader-failed"

    @property
    def fault(self) -> Fault:
        """Who has to act on this verdict."""
        if self is Verdict.PASSED:
            return Fault.NOBODY
        ours = (Verdict.WAITING_FOR_HARDWARE, Verdict.INCONCLUSIVE, Verdict.GRADER_FAILED)
        return Fault.OURS if self in ours else Fault.STUDENT


_SENTENCES = {
    Verdict.PASSED: "Correct.",
    Verdict.WRONG_ANSWER: "The result is wrong.",
    Verdict.WRONG_SHAPE: "The result has another shape or dtype than the handout declares.",
    Verdict.NOT_FINITE: "The result contains NaN or infinity where finite numbers were expected, or was left unwritten.",
    Verdict.INPUTS_MODIFIED: "Your function changed its input arrays; work on a copy.",
    Verdict.TOO_SLOW: "Correct, but not fast enough for every tier.",
    Verdict.TIMED_OUT: "A call did not return in time and was stopped.",
    Verdict.OUT_OF_MEMORY: "Your code used more memory than this assignment allows and was stopped.",
    Verdict.CRASHED: "Your code raised an error or ended its process.",
    Verdict.DID_NOT_LOAD: "Your code could not be imported.",
    Verdict.MISSING_FUNCTION: "A function that the handout asks for is missing, or not written yet (NotImplementedError).",
    Verdict.TOO_MUCH_OUTPUT: "Your code printed more than 1 MiB; remove the prints from the graded functions.",
    Verdict.WORK_LEFT_RUNNING: "Your code left work running after it returned.",
    Verdict.FORBIDDEN: "Your code broke the protocol of the grader; staff have been told.",
    Verdict.NOT_MEASURED: "Speed is measured once every correctness check passes.",
    Verdict.NOT_AS_CLAIMED: "Measured, and not shown to lie within 15 % of the claim.",
    Verdict.WAITING_FOR_HARDWARE: "This part waits for a machine with the hardware that it needs; nothing is lost.",
    Verdict.INCONCLUSIVE: "The machine was too noisy to decide; that is our fault, and it costs you nothing.",
    Verdict.GRADER_FAILED: "Our grader failed, not you; it costs you nothing and staff have been told.",
}


def sentence(verdict: Verdict) -> str:
    """The fixed sentence for a verdict; every sentence that students read about a failure starts with it."""
    return _SENTENCES[verdict]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found out.

    Attributes:
        verdict: the code.
        detail: for staff, and for students where the check is public; may hold values.
        plain: for students where the check is hidden; says next to nothing about what was given.
    """

    verdict: Verdict
    detail: str = ""
    plain: str = ""
