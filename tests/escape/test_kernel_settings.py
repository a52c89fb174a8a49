"""Writes to `/proc/sys`. Stopped by a read-only /proc/sys and an ordinary user."""

SOURCE = """
import ctypes, os
import numpy as np
libc = ctypes.CDLL(None, use_errno=True)
def work(x, steps):
    try:
        with open("/proc/sys/kernel/hostname", "w") as f: f.write("owned")
        ok = True
    except OSError: ok = False
    return np.full_like(x, 1.0 if ok else 0.0)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when privileged and user and seccomp is left out."""
    arena.escapes(SOURCE, "privileged", "user", "seccomp")
