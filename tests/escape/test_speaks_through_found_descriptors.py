"""Writes a verdict into every open descriptor, and leaves.

Stopped by DUMB: one byte of a fixed alphabet is all that the judge reads."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
import os
def work(x, steps):
    for fd in range(3, 64):
        try: os.write(fd, b"ACCEPTED")
        except OSError: pass
    os._exit(0)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as crashed or forbidden or not-finite or wrong-answer."""
    arena.fails(SOURCE, "crashed", "forbidden", "not-finite", "wrong-answer")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "clock-inside"."""
    arena.fools(SOURCE, "clock-inside")
