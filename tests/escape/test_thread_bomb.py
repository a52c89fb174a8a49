"""Starts threads without end. Stopped by the pids limit, which counts threads."""

SOURCE = """
import threading, time
import numpy as np
def work(x, steps):
    made = 0
    try:
        for _ in range(200):
            threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
            made += 1
    except RuntimeError: pass
    return np.full_like(x, 1.0 if made >= 200 else 0.0)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when pids is left out."""
    arena.escapes(SOURCE, "pids")
