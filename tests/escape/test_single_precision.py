"""Computes in float32 and hands back float64.

Stopped by a tolerance derived from rounding."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
def work(x, steps):
    y = x.astype(np.float32)
    for _ in range(steps): y = np.sqrt(y * y + np.float32(1))
    return y.astype(np.float64)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as wrong-answer."""
    arena.fails(SOURCE, "wrong-answer")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "loose-tolerance"."""
    arena.fools(SOURCE, "loose-tolerance")
