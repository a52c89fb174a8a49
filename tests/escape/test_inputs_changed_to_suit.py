"""Changes the input so that the answer it gives is right for it.

Stopped by separate buffers: what was given is compared with what is left."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
def work(x, steps):
    try: x[...] = 0.0
    except ValueError: pass
    return np.full_like(x, np.sqrt(steps))
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as inputs-modified or wrong-answer."""
    arena.fails(SOURCE, "inputs-modified", "wrong-answer")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "shared-input"."""
    arena.fools(SOURCE, "shared-input")
