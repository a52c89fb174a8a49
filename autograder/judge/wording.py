"""Findings and duels as sentences. A hidden check never leaks a value to a student."""

from __future__ import annotations

import math
from itertools import pairwise

from autograder.domain.assignment import Criterion, CriterionKind
from autograder.domain.measurement import Decision, DuelOutcome
from autograder.domain.verdict import Fault, Finding, Verdict, sentence

MAX_DETAIL = 1500
_SAFE = (Verdict.DID_NOT_LOAD,)  # said before any hidden input was seen

_HINTED = (
    Verdict.WRONG_ANSWER,
    Verdict.NOT_FINITE,
    Verdict.TOO_SLOW,
    Verdict.CRASHED,
    Verdict.TIMED_OUT,
)


def describe(criterion: Criterion, finding: Finding, check: str) -> str:
    """What a student reads about a failed or passed check."""
    words = [sentence(finding.verdict)]
    if finding.verdict is Verdict.PASSED or finding.verdict.fault is Fault.OURS:
        return words[0]
    if finding.plain and not criterion.public:
        words.append(finding.plain)
    if (criterion.public or finding.verdict in _SAFE) and finding.detail:
        words.append(finding.detail[-MAX_DETAIL:].strip())
    if criterion.public and check:
        words.append(f"(check: {check}).")
    if criterion.hint and finding.verdict in _HINTED:
        words.append(criterion.hint)
    text = words[0]
    for before, after in pairwise(words):
        text += ("\n" if "\n" in before + after else " ") + after  # a traceback stands by itself
    return text


def describe_duel(criterion: Criterion, duel: DuelOutcome) -> str:
    """The measured speedup, its interval, and what was asked."""
    low, high = duel.interval
    n = len(duel.witnesses)
    workers = f"with {duel.workers} workers, " if criterion.kind is CriterionKind.SCALING else ""
    span = f"{duel.level:.1%} interval {figure(low)} to {figure(high)}" if math.isfinite(high) else "no interval yet"
    words = f"{figure(duel.speedup)}× {workers}against {criterion.opponent} ({span}, {n} rounds)"
    passed = [t for t in duel.tiers if t.decision is Decision.PASS]
    missed = [t for t in duel.tiers if t.decision is Decision.FAIL]
    open_ = [t for t in duel.tiers if t.decision is Decision.UNDECIDED]
    if passed:
        whole = not (missed or open_ or duel.inconclusive)
        words += f"; {figure(max(t.threshold for t in passed))}× {'was asked: passed' if whole else 'is reached'}"
    if missed:
        words += f"; {figure(min(t.threshold for t in missed))}× is not"
    if open_:
        words += f"; {figure(min(t.threshold for t in open_))}× could not be decided"
    if duel.inconclusive:
        words += f"{': ' if open_ else '. Yet it is not decided: '}{duel.inconclusive}. Until it is, speed gives no points and takes none"
    words += "."
    if missed and duel.control is not None and duel.control.counted:
        words += f" A solution of the course's own, timed in the same minutes, reached {figure(duel.control.speedup)}×."
    return words + (f" {criterion.hint}" if missed and criterion.hint and not duel.inconclusive else "")


def figure(value: float) -> str:
    """Three significant digits, without an exponent for speedups as they occur."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def ranks_in_words(size: int, failed: list[int], lost: list[int], heard: list[int]) -> tuple[str, str]:
    """What the ranks of a world had done when a turn ended badly: by number, and for hidden checks without.

    Args:
        size: how many ranks there are.
        failed: ranks that raised an error or returned something else than was declared.
        lost: ranks whose process ended.
        heard: ranks that answered, those that failed among them.
    """
    returned = [r for r in heard if r not in failed]
    silent = [r for r in range(size) if r not in heard and r not in lost]
    groups = ((failed, "failed"), (lost, "ended"), (returned, "had returned"), (silent, "had not returned"))
    parts = [f"{_ranks(ranks)} {did}" for ranks, did in groups if ranks]
    states = [f"some {did}" for ranks, did in groups if ranks]
    return f"With {size} ranks: {', '.join(parts)}.", f"Of the ranks {', '.join(states)}."


def _ranks(ranks: list[int]) -> str:
    *first, last = map(str, ranks)
    return f"ranks {', '.join(first)} and {last}" if first else f"rank {last}"
