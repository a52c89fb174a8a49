"""Rounds of a duel and what was decided from them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Decision(StrEnum):
    """Of one tier."""

    PASS = "pass"
    FAIL = "fail"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Round:
    """One paired measurement; seconds are of correct calls, less the empty call.

    Attributes:
        ratio: reference cost over submission cost; above 1 the submission is faster.
        pair: which of the K process pairs ran it.
        dropped: why the round does not count (a signal that the student cannot cause), or empty.
        extra_s: for scaling, the reference's own seconds at p workers; else 0.
        control: ratio of the course's own program in this round, where it took part; else 0.
    """

    reference_s: float
    submission_s: float
    ratio: float
    pair: int
    submission_first: bool
    dropped: str = ""
    extra_s: float = 0.0
    control: float = 0.0


@dataclass(frozen=True, slots=True)
class TierOutcome:
    """One threshold and how it was decided."""

    threshold: float
    points: float
    decision: Decision
    rounds: int


@dataclass(frozen=True, slots=True)
class Control:
    """What a program that is known to deserve some tiers did in rounds beside a submission that had lost them.

    Attributes:
        thresholds: the tiers in question, ascending.
        decisions: on each; undecided where that program did not win it.
        speedup: of that program.
        submission: the submission's, in the same rounds.
        rounds: all of them, the dropped ones, too.
        doubt: why these rounds decide nothing, or empty.
        after: rounds at which each tier was decided.
    """

    thresholds: tuple[float, ...]
    decisions: tuple[Decision, ...]
    speedup: float
    submission: float
    rounds: tuple[Round, ...]
    doubt: str = ""
    after: tuple[int, ...] = ()

    @property
    def counted(self) -> tuple[Round, ...]:
        """The rounds that were not dropped."""
        return tuple(r for r in self.rounds if not r.dropped)


@dataclass(frozen=True, slots=True)
class DuelOutcome:
    """All that a duel measured.

    Attributes:
        interval: anytime-valid bounds of the speedup at `level`, from the rounds that `witnesses` names.
        inconclusive: why no decision could be reached, or empty.
        empty_s: cost of an empty call, already subtracted.
        floor_s: no honest call can be faster (bytes over bandwidth).
        warmup_s: import, JIT and discarded calls of the submission.
        canary: for scaling, the reference's own speedup at p over 1, else 0.
        control: what a known program did before a tier was lost, where there is one and it was asked.
        against: what was timed beside the submission, in words.
    """

    function: str
    speedup: float
    interval: tuple[float, float]
    level: float
    rounds: tuple[Round, ...]
    tiers: tuple[TierOutcome, ...]
    reference_s: float
    submission_s: float
    floor_s: float
    empty_s: float
    warmup_s: float
    inconclusive: str = ""
    canary: float = 0.0
    workers: int = 1
    curve: tuple[tuple[int, float], ...] = ()
    control: Control | None = None
    against: str = "the reference"  # which one, older grades do not say

    @property
    def counted(self) -> tuple[Round, ...]:
        """The rounds that were not dropped."""
        return tuple(r for r in self.rounds if not r.dropped)

    @property
    def witnesses(self) -> tuple[Round, ...]:
        """The counted rounds that speedup, interval and seconds are of: those beside a known program where a tier was won in them."""
        won = self.control is not None and Decision.PASS in self.control.decisions
        return self.control.counted if won and self.control is not None else self.counted
