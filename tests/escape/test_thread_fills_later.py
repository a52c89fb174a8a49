"""Returns at once; a thread fills the array while the judge is elsewhere.

Stopped by RC and FRZ: the answer is captured at "done", and nothing runs afterwards."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
import threading
def work(x, steps):
    out = np.full_like(x, 0.25)
    def fill_in():
        y = x.copy()
        for _ in range(steps): y = np.sqrt(y * y + 1.0)
        out[:] = y
    threading.Timer(0.02, fill_in).start()
    return out
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as wrong-answer or not-finite."""
    arena.fails(SOURCE, "wrong-answer", "not-finite")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "late-capture"."""
    arena.fools(SOURCE, "late-capture")
