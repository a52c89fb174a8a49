"""Prints the line that a grader looks for, and leaves.

Stopped by DUMB: no output is ever interpreted."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
import os
def work(x, steps):
    print("PASSED", flush=True)
    os._exit(0)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as crashed."""
    arena.fails(SOURCE, "crashed")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "last-line"."""
    arena.fools(SOURCE, "last-line")
