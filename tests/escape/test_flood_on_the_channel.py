"""Floods the channel with bytes.

Stopped by DUMB: more than one byte is a verdict, and nothing is buffered without bound."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
import os, stat
def work(x, steps):
    for fd in range(3, 64):
        try:
            sock = stat.S_ISSOCK(os.fstat(fd).st_mode)
            os.set_blocking(fd, False)
            for _ in range(1000 if sock else 1): os.write(fd, b"d" if sock else b"ACCEPTED")
        except OSError: pass
    if not os.path.exists("/opt/guest/shim.py"): os._exit(0)
    return np.zeros_like(x)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as not-finite or wrong-answer or forbidden or crashed."""
    arena.fails(SOURCE, "not-finite", "wrong-answer", "forbidden", "crashed")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "clock-inside"."""
    arena.fools(SOURCE, "clock-inside")
