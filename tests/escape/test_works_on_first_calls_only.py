"""Does the work in the first calls, which are checked, and returns old results in the later, timed ones.

Stopped by ALL: every timed call is checked, and warm-ups too."""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
_right = work
_seen = {}
def work(x, steps):
    key = (x.shape, steps)
    if key not in _seen:
        _seen[key] = _right(x, steps)
    return _seen[key]
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as wrong-answer."""
    arena.fails(SOURCE, "wrong-answer")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "unchecked-timing"."""
    arena.fools(SOURCE, "unchecked-timing")
