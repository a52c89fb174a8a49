"""Every rank stays under the limit; together they take twice as much.

Stopped by one memory limit for the container of all ranks.
"""

from .ranks import HONEST

SOURCE = (
    HONEST
    + """
_kept = []
def total(comm, x):
    _kept.append(np.ones(150 << 17))
    comm.Barrier()
    return comm.allreduce(float(x.sum()))
"""
)


def test_the_sandbox_holds(ranks):
    """Two times 150 MB do not fit into 256."""
    assert ranks.probe(SOURCE).verdict == "out-of-memory"


def test_it_bites_without_the_rule(ranks):
    """With a limit four times as large they do."""
    assert ranks.probe(SOURCE, "memory").verdict == "passed"
