"""Slows `numpy.sqrt` for whoever looks it up later, the reference among them, and keeps the quick one.

Stopped by separate containers: the reference has a NumPy of its own."""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
import time
_sqrt = np.sqrt
_slow_work = work
def _delayed(*a, **k):
    time.sleep(0.01)
    return _sqrt(*a, **k)
np.sqrt = _delayed
def work(x, steps):
    np.sqrt = _sqrt
    try:
        return _slow_work(x, steps)
    finally:
        np.sqrt = _delayed
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as too-slow."""
    arena.fails(SOURCE, "too-slow")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "clock-inside"."""
    arena.fools(SOURCE, "clock-inside")
