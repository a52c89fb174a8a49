"""Caches results by `id()` of the input.

Stopped by FRESH: inputs are new in every call, and hidden until the clock runs."""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
_right = work
_cache = {}
def work(x, steps):
    key = (id(x), steps, x.size)
    if x.size < 5000:
        return _right(x, steps)
    if key not in _cache:
        _cache[key] = _right(x, steps)
    return _cache[key]
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as too-slow or wrong-answer."""
    arena.fails(SOURCE, "too-slow", "wrong-answer")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "same-input"."""
    arena.fools(SOURCE, "same-input")
