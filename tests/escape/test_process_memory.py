"""Reads another process' memory in one call. Stopped by the system call filter."""

SOURCE = """
import ctypes, os
import numpy as np
libc = ctypes.CDLL(None, use_errno=True)
def work(x, steps):
    class Iov(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
    def _iov(b): return Iov(ctypes.addressof(b), 8)
    _keep = ctypes.create_string_buffer(8), ctypes.create_string_buffer(8)
    flags = ctypes.c_ulong(0)  # the seventh lies on the stack: an int would leave its upper half to chance
    ok = libc.syscall(310, os.getpid(), ctypes.byref(_iov(_keep[0])), 1, ctypes.byref(_iov(_keep[1])), 1, flags) >= 0
    return np.full_like(x, 1.0 if ok else 0.0)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when seccomp is left out."""
    arena.escapes(SOURCE, "seccomp")
