"""Finds the judge's channel and says "done" at once, then goes on computing.

Stopped by RC: done freezes the answer as it is, poisoned."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
import os, socket, stat
def _speak():
    for fd in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode): os.write(fd, b"d")
            else: os.write(fd, b"ACCEPTED")
        except OSError: pass
def work(x, steps):
    _speak()
    y = x.copy()
    for _ in range(steps): y = np.sqrt(y * y + 1.0)
    if not os.path.exists("/opt/guest/shim.py"): os._exit(0)
    return y
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as not-finite or wrong-answer or forbidden."""
    arena.fails(SOURCE, "not-finite", "wrong-answer", "forbidden")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "clock-inside"."""
    arena.fools(SOURCE, "clock-inside")
