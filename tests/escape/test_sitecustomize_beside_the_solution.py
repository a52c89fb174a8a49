"""A `sitecustomize.py` beside the solution runs before the tests do.

Stopped by: the judge imports nothing from a student's path, and the guest runs isolated."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
def work(x, steps):
    return x
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as wrong-answer."""
    arena.fails(SOURCE, "wrong-answer", sitecustomize__py="import os\nos._exit(0)\n")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "tests-beside-code"."""
    arena.fools(SOURCE, "tests-beside-code", sitecustomize__py="import os\nos._exit(0)\n")
