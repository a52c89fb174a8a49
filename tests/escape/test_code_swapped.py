"""Replaces the code object of the function that measures time, found by walking modules.

Stopped by RC: no function that measures anything is in the guest."""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
import sys

def _untimed(f, *a):
    return 1e-3, f(*a)

_main = sys.modules["__main__"]
if hasattr(_main, "timed"):
    _main.timed.__code__ = _untimed.__code__
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as too-slow."""
    arena.fails(SOURCE, "too-slow")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "clock-inside"."""
    arena.fools(SOURCE, "clock-inside")
