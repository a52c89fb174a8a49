"""Searches every object that the garbage collector knows for an array that looks like the answer.

Stopped by OUT."""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
import gc
_right = work
def work(x, steps):
    if x.size > 5000:
        for holder in gc.get_objects():
            if type(holder) is dict:
                found = holder.get("EXPECTED")
                if type(found) is np.ndarray and found.shape == x.shape:
                    return found
    return _right(x, steps)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as too-slow."""
    arena.fails(SOURCE, "too-slow")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "answers-inside"."""
    arena.fools(SOURCE, "answers-inside")
