"""What different decision rules would have said of the same trace, and how often each was wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from autograder.domain.measurement import Decision, Round
from autograder.measure.statistics import Rule, Tiers, median

BLOCK = 8  # consecutive rounds are drawn together, so that bursts of noise stay bursts


@dataclass(frozen=True, slots=True)
class Tally:
    """Decisions on one planted ratio.

    Attributes:
        rounds: how many each decision of ours took.
        best_of_5, mean_of_30: how often those rules would have passed.
    """

    ratio: float
    decisions: int
    passed: int
    failed: int
    inconclusive: int
    rounds: tuple[int, ...]
    best_of_5: int
    mean_of_30: int
    estimate: float
    dropped: int
    spread: float


def draw(trace: Sequence[Round], n: int, chance: random.Random) -> list[Round]:
    """A trace of n rounds, by circular blocks (Politis & Romano, 1992)."""
    drawn: list[Round] = []
    while len(drawn) < n:
        start = chance.randrange(len(trace))
        drawn += [trace[(start + i) % len(trace)] for i in range(BLOCK)]
    return drawn[:n]


def ours(rounds: Sequence[Round], rule: Rule, threshold: float = 1.0) -> tuple[Decision, int]:
    """The rule that grades, with its dropped rounds."""
    tiers = Tiers([threshold], rule)
    for n, this in enumerate(rounds, start=1):
        if not this.dropped:
            tiers.add(this.ratio)
        if tiers.settled:
            return tiers.decisions[0], n
        if rule.noisy(n - len(tiers.ratios), n):
            return Decision.UNDECIDED, n
    return Decision.UNDECIDED, len(rounds)


def tally(ratio: float, trace: Sequence[Round], decisions: int, rule: Rule, chance: random.Random) -> Tally:
    """Many decisions at threshold 1 on blocks drawn from one recorded trace."""
    said, lengths, best, mean = [], [], 0, 0
    for _ in range(decisions):
        rounds = draw(trace, rule.n_max, chance)
        decision, n = ours(rounds, rule)
        said.append(decision)
        lengths.append(n)
        best += min(r.reference_s for r in rounds[:5]) / min(r.submission_s for r in rounds[:5]) >= 1.0
        mean += fmean(r.reference_s for r in rounds[:30]) / fmean(r.submission_s for r in rounds[:30]) >= 1.0
    counted = [r.ratio for r in trace if not r.dropped] or [r.ratio for r in trace]
    middle = median(counted)
    spread = 1.4826 * median([abs(r - middle) for r in counted]) / middle
    return Tally(
        ratio, decisions, said.count(Decision.PASS), said.count(Decision.FAIL), said.count(Decision.UNDECIDED),
        tuple(lengths), best, mean, middle, sum(bool(r.dropped) for r in trace), spread,
    )  # fmt: skip


def together(launches: Sequence[Tally]) -> Tally:
    """Tallies of one ratio from several launches as one; a launch has its own layout in memory, as a grading has."""
    first = launches[0]
    return Tally(
        first.ratio, sum(t.decisions for t in launches), sum(t.passed for t in launches), sum(t.failed for t in launches),
        sum(t.inconclusive for t in launches), tuple(n for t in launches for n in t.rounds),
        sum(t.best_of_5 for t in launches), sum(t.mean_of_30 for t in launches), median([t.estimate for t in launches]),
        sum(t.dropped for t in launches), median([t.spread for t in launches]),
    )  # fmt: skip
