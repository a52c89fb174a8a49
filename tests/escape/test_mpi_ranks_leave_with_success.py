"""Every rank leaves in good order, with exit code 0, instead of computing.

Stopped by DUMB: the judge waits for a byte and an output of every rank; a process that ends is a verdict."""

from .ranks import HONEST

SOURCE = (
    HONEST
    + """
import sys
def total(comm, x):
    if comm.size > 1:
        sys.exit(0)  # after os._exit, even behind MPI_Finalize, the launcher now and then kills another rank, and says so
    return float(x.sum())
"""
)


def test_the_judge_is_not_fooled(ranks):
    """It ends as crashed."""
    ranks.fails(SOURCE, "crashed", only="sum")


def test_a_weaker_grader_is(ranks):
    """The attack bites where the grader has the weakness "exit-code"."""
    ranks.fools(SOURCE, "exit-code")
