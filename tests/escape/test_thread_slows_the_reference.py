"""Leaves threads running that burn the cores while it is not its turn: while the reference is measured.

Stopped by FRZ: the guest is frozen whenever it is not its turn (and found out by the idle probe)."""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
import threading
_outside = threading.Event()
def _burn():
    a = np.random.random(20_000)
    while True:
        _outside.wait()
        np.sqrt(a, out=a)
_started = []
_work = work
def work(x, steps):
    _outside.clear()
    try:
        if not _started and x.size > 5000:
            _started.extend(threading.Thread(target=_burn, daemon=True) for _ in range(16))
            for t in _started: t.start()
        if steps < 80: return _work(x, steps)
        for _ in range(2):
            y = x.copy()
            for _ in range(steps): y = np.sqrt(y * y + 1.0)
        return y
    finally:
        _outside.set()
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as too-slow or work-left-running."""
    arena.fails(SOURCE, "too-slow", "work-left-running")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "no-freeze"."""
    arena.fools(SOURCE, "no-freeze")
