"""Handles page faults in user space, which widens races in the kernel. Stopped by the system call filter."""

SOURCE = """
import ctypes, os
import numpy as np
libc = ctypes.CDLL(None, use_errno=True)
def work(x, steps):
    ok = libc.syscall(323, 1) >= 0
    return np.full_like(x, 1.0 if ok else 0.0)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when seccomp is left out."""
    arena.escapes(SOURCE, "seccomp")
