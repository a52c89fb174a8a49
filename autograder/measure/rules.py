"""What different decision rules would have said of the same trace, and how often each was wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from autograder.domain.measurement import Decision, Round
from autograder.measure.rotation import Rotation
from autograder.measure.statistics import Rule, median

BLOCK = 8  # consecutive rounds are drawn together, so that bursts of noise stay bursts


@dataclass(frozen=True, slots=True)
class Tally:
    """Decisions on one planted ratio.

    Attributes:
        rounds: how many each decision of ours took.
        best_of_5, mean_of_30: how often those rules would have passed.
        launch: of the processes whose trace it was; those of one launch share their layout in memory, and the minute.
        parts: the launches that were added up.
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
    launch: int = 0
    parts: tuple[Tally, ...] = ()


class Draws:
    """Rounds of each pair of one launch, drawn by circular blocks (Politis & Romano, 1992), in the order that is asked for.

    A block of one pair is as long as the others leave it in a block of consecutive rounds, so that bursts stay bursts.
    """

    def __init__(self, trace: Sequence[Round], chance: random.Random) -> None:
        pairs = 1 + max(r.pair for r in trace)
        self._traces = [[r for r in trace if r.pair == p] for p in range(pairs)]
        self._at = [0] * pairs
        self._chance, self._left = chance, 0

    def __call__(self, pair: int) -> Round:
        """The next round of that pair."""
        if self._left == 0:
            begin = self._chance.random()
            self._at = [int(begin * len(t)) for t in self._traces]
            self._left = BLOCK
        self._left -= 1
        mine = self._traces[pair]
        self._at[pair] += 1
        return mine[(self._at[pair] - 1) % len(mine)]


def ours(draws: Draws, rule: Rule, pairs: int, most: int, threshold: float = 1.0) -> tuple[Decision, list[Round]]:
    """The rule that grades, with its dropped rounds and its further pairs."""
    rotation, played = Rotation([threshold], rule, pairs, most), list[Round]()
    while not rotation.over:
        played.append(draws(rotation.turn))
        rotation.add(played[-1].pair, None if played[-1].dropped else played[-1].ratio)
    return rotation.tiers.decisions[0], played


def tally(
    ratio: float, trace: Sequence[Round], decisions: int, rule: Rule, chance: random.Random, pairs: int, launch: int = 0
) -> Tally:
    """Many decisions at threshold 1 on rounds drawn from the trace of one launch.

    Args:
        pairs: that a duel begins with; all that the trace holds are there to be asked for.
        launch: its number.
    """
    said, lengths, best, mean = [], [], 0, 0
    most = 1 + max(r.pair for r in trace)
    for _ in range(decisions):
        decision, rounds = ours(Draws(trace, chance), rule, pairs, most)
        said.append(decision)
        lengths.append(len(rounds))
        draws = Draws(trace, chance)
        others = [draws(n % pairs) for n in range(30)]
        best += min(r.reference_s for r in others[:5]) / min(r.submission_s for r in others[:5]) >= 1.0
        mean += fmean(r.reference_s for r in others) / fmean(r.submission_s for r in others) >= 1.0
    counted = [r.ratio for r in trace if not r.dropped] or [r.ratio for r in trace]
    middle = median(counted)
    spread = 1.4826 * median([abs(r - middle) for r in counted]) / middle
    return Tally(
        ratio, decisions, said.count(Decision.PASS), said.count(Decision.FAIL), said.count(Decision.UNDECIDED),
        tuple(lengths), best, mean, middle, sum(bool(r.dropped) for r in trace), spread, launch,
    )  # fmt: skip


def together(launches: Sequence[Tally]) -> Tally:
    """Tallies of one ratio from several launches as one; a launch has its own layout in memory, as a grading has."""
    first = launches[0]
    return Tally(
        first.ratio, sum(t.decisions for t in launches), sum(t.passed for t in launches), sum(t.failed for t in launches),
        sum(t.inconclusive for t in launches), tuple(n for t in launches for n in t.rounds),
        sum(t.best_of_5 for t in launches), sum(t.mean_of_30 for t in launches), median([t.estimate for t in launches]),
        sum(t.dropped for t in launches), median([t.spread for t in launches]), parts=tuple(launches),
    )  # fmt: skip
