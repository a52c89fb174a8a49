"""Returns zeros: near enough, if the tolerance is absolute.

Stopped by tolerances that scale with the answer."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
def work(x, steps):
    return np.zeros_like(x)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as wrong-answer."""
    arena.fails(SOURCE, "wrong-answer")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "absolute-tolerance"."""
    arena.fools(SOURCE, "absolute-tolerance")
