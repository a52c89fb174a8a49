"""From rounds to decisions: a sign e-process with a guard band, and anytime-valid intervals.

Assumption, and the only one: at the boundary of a null a round favours the student with probability ≤ ½ given the
past. No normality, no constant variance, and no harm in looking after every round (Ville's inequality).

Source: Ville (1939); Ramdas, Grünwald, Vovk, Shafer, "Game-theoretic statistics and safe anytime-valid inference",
Statistical Science 38(4), 2023. The bet is mixed uniformly over p in (½, 1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from autograder.domain.measurement import Decision


@dataclass(frozen=True, slots=True)
class Rule:
    """The published constants of a verdict.

    Attributes:
        alpha_pass: chance that a submission below θ(1−guard) ever passes.
        alpha_fail: chance that a submission at or above θ ever fails.
        guard: width of the band below θ in which a pass is allowed and a failure too.
        launch_pass, launch_fail: what a launch may favour or cost for as long as it lives (see `rotation`): evidence is sought so
            far inside the band, from either side, that both error rates hold for every launch that is off by no more.
        n_min, n_max: rounds before the first and after the last decision.
        drop_share: more dropped rounds than this share make a duel inconclusive.
        drop_free: so many may be dropped in any case: a burst at the start of a duel is no noisy machine.
    """

    alpha_pass: float = 1e-4
    alpha_fail: float = 0.005
    guard: float = 0.05
    launch_pass: float = 0.015
    launch_fail: float = 0.01
    n_min: int = 12
    n_max: int = 200
    drop_share: float = 0.2
    drop_free: int = 8

    def noisy(self, dropped: int, rounds: int) -> bool:
        """Whether too many rounds were disturbed."""
        return dropped > max(self.drop_share * rounds, self.drop_free)


@lru_cache(maxsize=65536)
def log_e(wins: int, n: int) -> float:
    """log of the e-value of `wins` favourable rounds among `n`.

    E(W, n) = 2^(n+1) ∫_{1/2}^1 p^W (1−p)^(n−W) dp = W!·L!/(n+1)! · Σ_{j>L} C(n+1, j),   L = n − W,
    exact in integers, because the regularised incomplete beta function at ½ is a binomial tail.
    """
    losses = n - wins
    tail = sum(math.comb(n + 1, j) for j in range(losses + 1, n + 2))
    return math.lgamma(wins + 1) + math.lgamma(losses + 1) - math.lgamma(n + 2) + math.log(tail)


@lru_cache(maxsize=4096)
def least_wins(n: int, evidence: float) -> int:
    """Least W with log E(W, n) ≥ `evidence`; n + 1 when no W suffices."""
    return next((w for w in range(n + 1) if 2 * w > n and log_e(w, n) >= evidence), n + 1)


def decide(ratios: Sequence[float], threshold: float, rule: Rule, sizes: int = 1) -> Decision:
    """One tier, from all rounds so far.

    Args:
        ratios: reference time over submission time, one per counted round.
        threshold: θ, the published speedup.
        rule: constants.
        sizes: problem sizes that the tier is decided on; α_F is split among them.
    """
    n = len(ratios)
    if n < rule.n_min:
        return Decision.UNDECIDED
    if log_e(sum(r > threshold * (1 - rule.guard + rule.launch_pass) for r in ratios), n) >= -math.log(rule.alpha_pass):
        return Decision.PASS
    if log_e(sum(r < threshold * (1 - rule.launch_fail) for r in ratios), n) >= -math.log(rule.alpha_fail / sizes):
        return Decision.FAIL
    return Decision.UNDECIDED


def interval(ratios: Sequence[float], alpha: float) -> tuple[float, float]:
    """Bounds of the median ratio, valid at every n however often one looks.

    Args:
        ratios: at least one round.
        alpha: 1 − level, both sides together.
    """
    ordered, n = sorted(ratios), len(ratios)
    w = least_wins(n, math.log(2 / alpha))
    if w > n:
        return (0.0, math.inf)
    return (ordered[n - w], ordered[w - 1])


class Tiers:
    """Sticky decisions: the first that the evidence reaches stands, with the round it was reached at."""

    def __init__(self, thresholds: Sequence[float], rule: Rule) -> None:
        self.rule = rule
        self.thresholds = tuple(thresholds)
        self.ratios: list[float] = []
        self.decisions = [Decision.UNDECIDED] * len(self.thresholds)
        self.rounds = [0] * len(self.thresholds)

    def add(self, ratio: float) -> None:
        """Counts one round, and decides what it settles."""
        self.ratios.append(ratio)
        self.look()

    def note(self, ratio: float) -> None:
        """Counts one round without deciding; looking less often harms no error rate."""
        self.ratios.append(ratio)

    def look(self) -> None:
        """Decides what the rounds so far settle."""
        for i, threshold in enumerate(self.thresholds):
            if self.decisions[i] is Decision.UNDECIDED:
                self.decisions[i] = decide(self.ratios, threshold, self.rule)
                self.rounds[i] = len(self.ratios)

    @property
    def settled(self) -> bool:
        """Whether every tier is decided."""
        return len(self.ratios) >= self.rule.n_min and Decision.UNDECIDED not in self.decisions

    def doubtful(self, within: float) -> bool:
        """Whether an undecided threshold lies within a share of the estimate."""
        if not self.ratios:
            return False
        middle = median(self.ratios)
        pairs = zip(self.thresholds, self.decisions, strict=True)
        return any(d is Decision.UNDECIDED and abs(middle / t - 1) <= within for t, d in pairs)


class Current(Tiers):
    """What the evidence of all rounds says by now; nothing is sticky, for a machine that was quiet may be so no longer."""

    def look(self) -> None:
        """Decides anew."""
        self.decisions = [decide(self.ratios, threshold, self.rule) for threshold in self.thresholds]
        self.rounds = [len(self.ratios)] * len(self.thresholds)


class Edges(Tiers):
    """Bounds of a claim: what the interval says of each, now. Nothing is sticky, for it is the last interval that is shown."""

    def look(self) -> None:
        """Decides what the interval of the rounds so far lies above or below."""
        low, high = interval(self.ratios, self.rule.alpha_fail)
        for i, threshold in enumerate(self.thresholds):
            above, below = low >= threshold, high < threshold
            self.decisions[i] = Decision.PASS if above else Decision.FAIL if below else Decision.UNDECIDED
            self.rounds[i] = len(self.ratios)


def at_odds(groups: Sequence[Sequence[float]], least: int, share: float) -> bool:
    """Whether process pairs measure different things: a launch draws a layout that may cost for as long as it lives.

    Args:
        groups: ratios by pair.
        least: of each pair, before anything is said.
        share: medians that differ by less are as one; and by less than three standard errors, too.
    """
    if len(groups) < 2 or min(map(len, groups)) < least:
        return False
    middles = [median(g) for g in groups]
    low, high = min(middles), max(middles)
    residuals = [abs(r - m) for g, m in zip(groups, middles, strict=True) for r in g]
    # of a median: 1.25 sigma / sqrt(n); sigma from the median deviation, as for a normal distribution
    error = 1.2533 * 1.4826 * median(residuals) * math.sqrt(2 / min(map(len, groups)))
    return high - low > max(share * low, 3 * error)


def median(values: Sequence[float]) -> float:
    """Of at least one value; the mean of the middle two for an even count."""
    ordered, n = sorted(values), len(values)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2


def binomial_bounds(hits: int, n: int, alpha: float = 0.05) -> tuple[float, float]:
    """Exact (Clopper–Pearson) interval of a rate, by bisection on the binomial tail.

    Source: Clopper, Pearson, Biometrika 26(4), 1934.
    """

    def tail(p: float, least: int) -> float:
        return math.fsum(
            math.exp(
                math.lgamma(n + 1)
                - math.lgamma(k + 1)
                - math.lgamma(n - k + 1)
                + k * math.log(p)
                + (n - k) * math.log1p(-p)
            )
            for k in range(least, n + 1)
        )

    def root(least: int, target: float) -> float:
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            if 0 < middle < 1 and tail(middle, least) < target:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    lower = 0.0 if hits == 0 else root(hits, alpha / 2)
    upper = 1.0 if hits == n else root(hits + 1, 1 - alpha / 2)
    return lower, upper
