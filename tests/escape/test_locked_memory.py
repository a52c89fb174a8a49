"""Locks memory so that it cannot be reclaimed. Stopped by the limit on locked memory."""

SOURCE = """
import ctypes, mmap
import numpy as np
def work(x, steps):
    m = mmap.mmap(-1, 4 << 20)
    a = np.frombuffer(m, dtype=np.uint8)
    r = ctypes.CDLL(None).mlock(ctypes.c_void_p(a.ctypes.data), ctypes.c_size_t(4 << 20))
    return np.full_like(x, 1.0 if r == 0 else 0.0)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when ulimits is left out."""
    arena.escapes(SOURCE, "ulimits")
