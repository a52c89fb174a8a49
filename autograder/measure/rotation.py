"""Which process pair plays the next round, when more pairs are wanted, and what is decided: the duel without its guests.

Rounds rotate over independently started process pairs, because a launch draws a layout in memory that lasts as long as it
lives: one in ten or twenty costs some per cent (measured). Two pairs usually agree. Where they do not, and a tier is
near, nothing is decided before as many rounds of others stand beside theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autograder.domain.measurement import Decision
from autograder.measure.statistics import Current, Edges, Rule, Tiers, at_odds

MORE_PAIRS_WITHIN = 0.10
MORE_PAIRS_EVERY = 24
MOST_PAIRS = 5  # one of them may be at odds with the others, and its rounds are then too few to decide
AT_ODDS, AT_ODDS_WITHIN, AT_ODDS_LEAST = 0.03, 0.25, 5


class Rotation:
    """The bookkeeping of one duel.

    Args:
        controlled: whether a known program plays every round, too; then it is over, too, as soon as that program loses. It is
            known to be good: that it wins needs no more evidence than that the submission loses, but of all rounds up to then.
        edges: whether the thresholds bound a claim, and an interval is to lie between them or beyond one.

    Attributes:
        tiers: evidence and decisions.
        control: the same for the known program, if there is one.
        disturbed: dropped rounds in a row, up to now.
    """

    def __init__(
        self, thresholds: Sequence[float], rule: Rule, pairs: int, max_pairs: int, controlled: bool = False,
        edges: bool = False,
    ) -> None:  # fmt: skip
        self.tiers = Edges(thresholds, rule) if edges else Tiers(thresholds, rule)
        self.control = Current(thresholds, replace(rule, alpha_pass=rule.alpha_fail)) if controlled else None
        self.disturbed = 0
        self._rule, self._first, self._most = rule, pairs, max_pairs
        self._ratios: list[list[float]] = [[] for _ in range(pairs)]
        self._played = [0] * pairs
        self._held = False

    @property
    def pairs(self) -> int:
        """How many play."""
        return len(self._played)

    @property
    def rounds(self) -> int:
        """How many were played, the dropped ones among them."""
        return sum(self._played)

    @property
    def noisy(self) -> bool:
        """Whether too many were dropped."""
        return self._rule.noisy(self.rounds - len(self.tiers.ratios), self.rounds)

    @property
    def over(self) -> bool:
        """Whether every tier is decided, or none will be."""
        if self.rounds >= self._rule.n_max or self.noisy:
            return True
        if self.control is None:
            return self.tiers.settled
        return Decision.FAIL in self.control.decisions or (self.tiers.settled and self.control.settled)

    @property
    def turn(self) -> int:
        """The pair that plays next: the one that has played least, so that those who came later catch up."""
        return self._played.index(min(self._played))

    def add(self, pair: int, ratio: float | None, control: float = 0.0) -> int:
        """One round; None if it was dropped.

        Args:
            control: ratio of the known program in that round, where it plays.

        Returns:
            How many further pairs play from now on.
        """
        self._played[pair] += 1
        self.disturbed = 0 if ratio is not None else self.disturbed + 1
        if ratio is not None:
            self._ratios[pair].append(ratio)
            self.tiers.note(ratio)
            if self.control is not None:
                self.control.note(control)
        more = self._wanted()
        self._played += [0] * more
        self._ratios += [[] for _ in range(more)]
        self._held = (self._held or more > 1) and min(self._played) < max(self._played)
        if not self._held:
            self.tiers.look()
            if self.control is not None:
                self.control.look()
        return more

    def _wanted(self) -> int:
        room = self._most - self.pairs
        if self._first < 2 or room < 1:
            return 0
        if self.tiers.doubtful(AT_ODDS_WITHIN) and at_odds(self._ratios, AT_ODDS_LEAST, AT_ODDS):
            return room
        late = len(self.tiers.ratios) >= MORE_PAIRS_EVERY * (self.pairs - self._first + 1)
        return int(late and self.tiers.doubtful(MORE_PAIRS_WITHIN))
