"""Returns an object whose `__reduce__` runs code in whoever unpickles it.

Stopped by DUMB: nothing is ever unpickled."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
class Bomb:
    def __reduce__(self):
        return (exec, ("import sys; sys.modules['__main__'].verdict(True)",))
def work(x, steps):
    return Bomb()
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as wrong-shape."""
    arena.fails(SOURCE, "wrong-shape")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "pickle"."""
    arena.fools(SOURCE, "pickle")
