"""Returns NaN: no difference from it is larger than any tolerance.

Stopped by comparisons written so that NaN fails."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
def work(x, steps):
    return np.full_like(x, np.nan)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as not-finite."""
    arena.fails(SOURCE, "not-finite")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "nan-agrees"."""
    arena.fools(SOURCE, "nan-agrees")
