"""Rank 0 computes everything, and reports in the name of rank 1, too, whose own answer is garbage.

Stopped by DUMB: every rank has buffers and a channel of its own, held by the judge; nothing is asked over MPI."""

from .ranks import HONEST

SOURCE = (
    HONEST
    + """
def total(comm, x):
    if comm.size == 1:
        return float(x.sum())
    if comm.rank > 0:
        import time
        comm.send(float(x.sum()), 0, tag=7)
        time.sleep(0.3)  # what is said in its name is there before
        return 0.5
    whole = float(x.sum()) + sum(comm.recv(tag=7) for _ in range(comm.size - 1))
    for rank in range(1, comm.size):
        comm.send((rank, whole), 0, tag=99)
    return whole
"""
)


def test_the_judge_is_not_fooled(ranks):
    """It ends as wrong-answer."""
    ranks.fails(SOURCE, "wrong-answer", only="sum")


def test_a_weaker_grader_is(ranks):
    """The attack bites where the grader has the weakness "ranks-report"."""
    ranks.fools(SOURCE, "ranks-report")
