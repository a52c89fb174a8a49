"""Knows the answers of the public examples by heart, and nothing else.

Stopped by hidden sizes and fresh values."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
def work(x, steps):
    return np.full_like(x, np.sqrt(steps))
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as wrong-answer."""
    arena.fails(SOURCE, "wrong-answer")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "public-sizes"."""
    arena.fools(SOURCE, "public-sizes")
