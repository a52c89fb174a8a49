"""Ends the process with status 0 before anything is checked.

Stopped by DUMB: only a correct output behind a done-byte counts."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
import os
def work(x, steps):
    os._exit(0)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as crashed."""
    arena.fails(SOURCE, "crashed")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "exit-status"."""
    arena.fools(SOURCE, "exit-status")
