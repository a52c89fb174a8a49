"""Walks the callers' frames and modules for the expected answer.

Stopped by OUT: expected values never enter the guest."""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
import sys
_right = work
def work(x, steps):
    main = sys.modules["__main__"]
    found = getattr(main, "EXPECTED", None)
    return found if found is not None else _right(x, steps)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as too-slow."""
    arena.fails(SOURCE, "too-slow")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "answers-inside"."""
    arena.fools(SOURCE, "answers-inside")
