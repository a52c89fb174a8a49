"""What a call costs that does nothing: asked before the rounds of a duel, and again between them.

A machine that is disturbed for a minute wakes processes later and maps pages more slowly, and what was true when the duel
began is not when it ends: taken off both sides, the difference tilts their ratio. So the cost is a median of the last few
answers, and where it is a good part of a call every round is followed by one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from autograder.measure.statistics import median

EMPTY_CALLS = 9  # of which the median counts
LONGEST_SPIN_S = 0.05
EVERY = 3  # rounds, where it hardly matters
MATTERS = 0.05  # as a share of the reference's own time: then after every round, and the last few count
FEW = 5


@dataclass(slots=True)
class Empties:
    """Of one number of ranks (0: a plain process).

    Attributes:
        named: arguments of a call whose data are as large as those of a round.
        spin_s: how long an empty call of it keeps the processor busy: as the reference does, within bounds.
        own_s: the reference's time for that, the empty call taken off.
    """

    named: dict[str, Any]
    spin_s: float
    own_s: float = 0.0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=EMPTY_CALLS))

    def add(self, seconds: float) -> None:
        """One more answer."""
        self.recent.append(seconds)

    @property
    def seconds(self) -> float:
        """What is taken off a call now; where that matters, a few answers that are as young as can be."""
        whole = median(self.recent)
        return median(list(self.recent)[-FEW:]) if whole > MATTERS * self.own_s else whole

    def due(self, rounds: int) -> bool:
        """Whether to ask after that many rounds."""
        return rounds % EVERY == 0 or median(self.recent) > MATTERS * self.own_s
