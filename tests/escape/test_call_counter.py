"""Counts its calls and stops working after the fifth.

Stopped by ALL and FRESH."""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
_right = work
_calls = [0]
def work(x, steps):
    _calls[0] += 1
    if _calls[0] > 1 and x.size > 5000:
        return x.copy()
    return _right(x, steps)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as wrong-answer."""
    arena.fails(SOURCE, "wrong-answer")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "unchecked-timing"."""
    arena.fools(SOURCE, "unchecked-timing")
