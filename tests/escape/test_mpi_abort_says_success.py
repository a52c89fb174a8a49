"""One rank ends the whole world and says that all went well, before anybody has computed anything.

Stopped by DUMB: an exit code is never interpreted; without every rank's byte and its output there is no answer."""

from .ranks import HONEST

SOURCE = (
    HONEST
    + """
def total(comm, x):
    from mpi4py import MPI
    if comm.size > 1 and comm.rank == comm.size - 1:
        MPI.COMM_WORLD.Abort(0)
    return 0.0
"""
)


def test_the_judge_is_not_fooled(ranks):
    """It ends as crashed, or as wrong-answer where the launcher is slower to kill than the ranks to return."""
    ranks.fails(SOURCE, "crashed", "wrong-answer", only="sum")


def test_a_weaker_grader_is(ranks):
    """The attack bites where the grader has the weakness "exit-code"."""
    ranks.fools(SOURCE, "exit-code")
