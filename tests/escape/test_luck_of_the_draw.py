"""Is slow nearly always and quick once in a while: the best of many tries looks good.

Stopped by the sequential test: the median decides, and α_P bounds what retries can buy."""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
import random
_slow = work
def work(x, steps):
    if random.random() < 0.15:
        y = x.copy()
        for _ in range(steps): y = np.sqrt(y * y + 1.0)
        return y
    return _slow(x, steps)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as too-slow."""
    arena.fails(SOURCE, "too-slow")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "lucky-minimum"."""
    arena.fools(SOURCE, "lucky-minimum")
