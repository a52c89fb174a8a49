"""Rank 0, which has the clock, hands its work to rank 1 and returns at once; its result is filled in when it is looked at.

Stopped by RC: the window is over when the last rank has spoken and all are frozen; and DUMB: outputs are copied as bytes."""

from .ranks import HONEST

SOURCE = (
    HONEST
    + """
class Later(np.ndarray):
    # asks rank 1 for the values when they are needed
    def __array_function__(self, function, types, args, kwargs):
        return function(*[a.fetch() if isinstance(a, Later) else a for a in args], **kwargs)
    def fetch(self):
        if not hasattr(self, "values"):
            object.__setattr__(self, "values", self.comm.recv(source=1, tag=5))
        return self.values

_ring = ring
def ring(comm, x, m):
    if comm.size == 1 or m < 100:
        return _ring(comm, x, m)
    if comm.rank == 0:
        comm.isend(x, 1, tag=4)
        y = np.zeros(len(x)).view(Later)
        y.comm = comm
        return y, comm.size - 1
    other = comm.recv(source=0, tag=4) if comm.rank == 1 else x
    y, z = x.copy(), other.copy()
    for _ in range(m):
        y = np.sin(y) + x
        z = np.sin(z) + other
    if comm.rank == 1:
        comm.isend(z, 0, tag=5)
    return y, comm.rank - 1
"""
)


def test_the_judge_is_not_fooled(ranks):
    """It ends without points for speed."""
    ranks.fails(SOURCE, "wrong-answer", "wrong-shape", "crashed", "timed-out", only="scaling")


def test_a_weaker_grader_is(ranks):
    """The attack bites where the grader has the weakness "clock-on-rank-0"."""
    ranks.fools(SOURCE, "clock-on-rank-0")
