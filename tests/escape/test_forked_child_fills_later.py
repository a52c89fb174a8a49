"""A forked child writes into shared memory that was returned already.

Stopped by FRZ: the child is in the cgroup, and by copies: the answer left at "done"."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
import mmap, os, time
def work(x, steps):
    shared = mmap.mmap(-1, max(x.nbytes, 1))
    out = np.frombuffer(shared, dtype=x.dtype, count=x.size).reshape(x.shape)
    out[:] = 0.25
    if os.fork() == 0:
        time.sleep(0.01)
        y = x.copy()
        for _ in range(steps): y = np.sqrt(y * y + 1.0)
        out[:] = y
        os._exit(0)
    return out
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as wrong-answer or not-finite."""
    arena.fails(SOURCE, "wrong-answer", "not-finite")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "late-capture"."""
    arena.fools(SOURCE, "late-capture")
