"""Children in a session of their own burn the cores while the reference runs, and are stopped meanwhile by the parent.

Stopped by FRZ: the cgroup is frozen, not a process."""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
import os, signal
_children = []
def _burners():
    for _ in range(8):
        pid = os.fork()
        if pid == 0:
            os.setsid()
            while True: pass
        _children.append(pid)
_work = work
def work(x, steps):
    if x.size < 5000: return _work(x, steps)
    if not _children: _burners()
    for p in _children: os.kill(p, signal.SIGSTOP)
    for _ in range(3):
        y = x.copy()
        for _ in range(steps): y = np.sqrt(y * y + 1.0)
    for p in _children: os.kill(p, signal.SIGCONT)
    return y
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as too-slow or work-left-running."""
    arena.fails(SOURCE, "too-slow", "work-left-running")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "no-freeze"."""
    arena.fools(SOURCE, "no-freeze")
