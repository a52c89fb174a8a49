"""A child in a session of its own burns the cores: the parent's group never sees it.

Stopped by FRZ: the cgroup is frozen, not a process."""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
import os, sys
_started = []
_work = work
def work(x, steps):
    if not _started and x.size > 5000:
        _started.append(1)
        for _ in range(12):
            if os.fork() == 0:
                os.setsid()
                for fd in range(3, 64):
                    try: os.close(fd)
                    except OSError: pass
                while True: pass
    if steps < 80: return _work(x, steps)
    for _ in range(2):
        y = x.copy()
        for _ in range(steps): y = np.sqrt(y * y + 1.0)
    return y
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as too-slow or work-left-running."""
    arena.fails(SOURCE, "too-slow", "work-left-running")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "no-freeze"."""
    arena.fools(SOURCE, "no-freeze")
