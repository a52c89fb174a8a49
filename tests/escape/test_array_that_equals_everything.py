"""Returns an ndarray subclass that is equal to everything.

Stopped by DUMB: bytes are copied, classes are not."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
class Agreeable(np.ndarray):
    def __eq__(self, other):
        return np.ones(self.shape, dtype=bool)
def work(x, steps):
    return np.zeros_like(x).view(Agreeable)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as wrong-answer."""
    arena.fails(SOURCE, "wrong-answer")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "trusting-compare"."""
    arena.fools(SOURCE, "trusting-compare")
