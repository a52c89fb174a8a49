"""Looks for the host's block devices. Stopped by a /dev of its own."""

SOURCE = """
import ctypes, os
import numpy as np
libc = ctypes.CDLL(None, use_errno=True)
def work(x, steps):
    import stat
    ok = any(stat.S_ISBLK(os.stat(os.path.join("/dev", d)).st_mode) for d in os.listdir("/dev") if not os.path.islink(os.path.join("/dev", d)))
    return np.full_like(x, 1.0 if ok else 0.0)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when privileged and user is left out."""
    arena.escapes(SOURCE, "privileged", "user")
