"""Computes the head of the output and leaves the rest as it was.

Stopped by poison and full comparison."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
def work(x, steps):
    out = np.zeros_like(x)
    y = x[:100].copy()
    for _ in range(steps): y = np.sqrt(y * y + 1.0)
    out[:100] = y
    return out
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as wrong-answer."""
    arena.fails(SOURCE, "wrong-answer")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "partial-compare"."""
    arena.fools(SOURCE, "partial-compare")
