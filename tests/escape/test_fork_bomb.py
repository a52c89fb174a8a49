"""Forks without end. Stopped by the pids limit; the kill goes to the whole cgroup."""

SOURCE = """
import os, time
import numpy as np
def work(x, steps):
    made = 0
    try:
        for _ in range(200):
            if os.fork() == 0:
                time.sleep(30)
                os._exit(0)
            made += 1
    except OSError:
        pass
    return np.full_like(x, 1.0 if made >= 200 else 0.0)
"""


def test_the_pids_limit_holds(arena):
    """Fewer than two hundred children come to life."""
    arena.held(SOURCE)


def test_without_it_two_hundred_come(arena):
    """The attack bites."""
    arena.escapes(SOURCE, "pids")


def test_the_judge_survives_it(arena):
    """An endless one ends as a verdict, and the next submission is graded."""
    arena.fails(
        "import os\ndef work(x, steps):\n    while True:\n        try: os.fork()\n        except OSError: pass\n",
        "timed-out",
        "crashed",
    )
