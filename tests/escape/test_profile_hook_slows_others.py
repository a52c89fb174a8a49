"""A profile hook makes every other Python function slow (the reference in the same process).

Stopped by separate containers."""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
import sys, time
def _hook(frame, event, arg):
    if event == "c_call" and frame.f_code.co_name == "reference":
        time.sleep(0.005)
    if event == "call" and frame.f_code.co_name == "reference":
        time.sleep(0.5)
sys.setprofile(_hook)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as too-slow."""
    arena.fails(SOURCE, "too-slow")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "clock-inside"."""
    arena.fools(SOURCE, "clock-inside")
