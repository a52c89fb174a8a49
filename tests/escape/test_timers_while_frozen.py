"""Makes timers by the thousand, which would go off while it is frozen and interrupt whoever is timed then. Stopped by the filter."""

SOURCE = """
import ctypes
import numpy as np
libc = ctypes.CDLL(None, use_errno=True)
def work(x, steps):
    made = [ctypes.c_void_p() for _ in range(50)]
    ok = libc.timerfd_create(1, 0) >= 0 or any(libc.timer_create(1, None, ctypes.byref(t)) == 0 for t in made)
    return np.full_like(x, float(ok))
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when seccomp is left out."""
    arena.escapes(SOURCE, "seccomp")
