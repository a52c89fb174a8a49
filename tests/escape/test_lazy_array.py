"""Returns an object that computes when it is looked at.

Stopped by DUMB: the shim copies raw bytes inside the window, so that laziness costs time like work."""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
_eager = work
class Lazy:
    def __init__(self, x, steps):
        self.x, self.steps = x.copy(), steps
        self.shape, self.dtype = x.shape, x.dtype
    def __array__(self, dtype=None, copy=None):
        return _eager(self.x, self.steps)
def work(x, steps):
    return Lazy(x, steps)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as too-slow."""
    arena.fails(SOURCE, "too-slow")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "late-capture"."""
    arena.fools(SOURCE, "late-capture")
