"""Reads the seed of the inputs from the environment and computes the answer at import.

Stopped by OUT: seeds never enter the guest."""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
import os
_right = work
_ready = {}
_seed = os.environ.get("GRADER_SEED")
if _seed:
    _x = np.random.default_rng(int(_seed)).standard_normal(30_000)
    _ready[_x[:3].tobytes()] = _right(_x, 80)
def work(x, steps):
    found = _ready.get(x[:3].tobytes())
    return found if found is not None else _right(x, steps)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as too-slow."""
    arena.fails(SOURCE, "too-slow")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "seed-in-environment"."""
    arena.fools(SOURCE, "seed-in-environment")
