"""Every rank leaves with exit code 0 instead of computing.

Stopped by DUMB: the judge waits for a byte and an output of every rank; a process that ends is a verdict."""

from .ranks import HONEST

SOURCE = (
    HONEST
    + """
import os
def total(comm, x):
    if comm.size > 1:
        os._exit(0)
    return float(x.sum())
"""
)


def test_the_judge_is_not_fooled(ranks):
    """It ends as crashed."""
    ranks.fails(SOURCE, "crashed", only="sum")


def test_a_weaker_grader_is(ranks):
    """The attack bites where the grader has the weakness "exit-code"."""
    ranks.fools(SOURCE, "exit-code")
