"""Fills `/dev/shm`. Stopped by its size."""

SOURCE = """
import numpy as np
def work(x, steps):
    ok = 1.0
    try:
        with open("/dev/shm/big", "wb") as f:
            for _ in range(100): f.write(bytes(1 << 20))
    except OSError: ok = 0.0
    return np.full_like(x, ok)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when shm is left out."""
    arena.escapes(SOURCE, "shm")
