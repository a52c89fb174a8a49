"""`sys.exit(0)` when imported.

Stopped by DUMB: a module that does not load earns nothing."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
import sys
sys.exit(0)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as did-not-load."""
    arena.fails(SOURCE, "did-not-load")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "exit-status"."""
    arena.fools(SOURCE, "exit-status")
