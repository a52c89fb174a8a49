"""Prints the verdict from `atexit`, behind everything else.

Stopped by DUMB."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
import atexit, sys
atexit.register(lambda: print("PASSED", flush=True))
def work(x, steps):
    sys.exit(0)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as crashed."""
    arena.fails(SOURCE, "crashed")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "last-line"."""
    arena.fools(SOURCE, "last-line")
