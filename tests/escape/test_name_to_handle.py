"""Turns paths into handles, the first half of leaving a mount. Stopped by the system call filter."""

SOURCE = """
import ctypes, os
import numpy as np
libc = ctypes.CDLL(None, use_errno=True)
def work(x, steps):
    class Handle(ctypes.Structure): _fields_ = [("bytes", ctypes.c_uint), ("type", ctypes.c_int), ("data", ctypes.c_char * 128)]
    def _handle(): return Handle(128, 0, b"")
    ok = libc.syscall(303, -100, b"/work", ctypes.byref(_handle()), ctypes.byref(ctypes.c_int()), 0) >= 0
    return np.full_like(x, 1.0 if ok else 0.0)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when seccomp is left out."""
    arena.escapes(SOURCE, "seccomp")
