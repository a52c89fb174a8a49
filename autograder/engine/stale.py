"""Assignments that are not the same everywhere: half saved, or out of date on a node.

Nobody is charged for that. A node that has another version of an assignment gets nothing of it for a while, so that it cannot
swallow the queue; a submission that has met a handful of them goes to staff, with words that say what to do.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

MOST = 5  # of a submission: by then a folder that is being saved or copied is there
_OUT_S = 30.0  # and twice as long each time
_LONGEST_S = 300.0


@dataclass(slots=True)
class _Out:
    times: int
    until: float


class Stale:
    """Which nodes lack which version, and how often each submission met that."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._met: Counter[int] = Counter()
        self._out: dict[tuple[str, str, str], _Out] = {}

    def lacks(self, node: str, assignment: str, version: str) -> bool:
        """Whether a node said so a short while ago; another version, once there is one, is asked for at once."""
        out = self._out.get((node, assignment, version))
        return out is not None and self._clock() < out.until

    def times(self, submission: int) -> int:
        """How often a submission met that."""
        return self._met[submission]

    def note(self, submission: int, node: str, assignment: str, version: str) -> None:
        """It was met once more; of several that were under way at once only the first speaks of the node."""
        self._met[submission] += 1
        if not self.lacks(node, assignment, version):
            known = self._out.get((node, assignment, version))
            times = known.times + 1 if known else 1
            until = self._clock() + min(_OUT_S * 2 ** (times - 1), _LONGEST_S)
            self._out[node, assignment, version] = _Out(times, until)

    def forget(self, submission: int) -> None:
        """It was graded, or is in the hands of staff."""
        self._met.pop(submission, None)
