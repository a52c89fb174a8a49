"""Mounts the cgroup file system, whose release agent runs on the host. Stopped by having no capability, and by the filter."""

SOURCE = """
import ctypes, os
import numpy as np
libc = ctypes.CDLL(None, use_errno=True)
def work(x, steps):
    os.makedirs("/work/c", exist_ok=True)
    ok = libc.mount(b"cgroup", b"/work/c", b"cgroup", 0, b"memory") == 0 or libc.mount(b"cgroup2", b"/work/c", b"cgroup2", 0, None) == 0
    return np.full_like(x, 1.0 if ok else 0.0)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when capabilities and user and seccomp is left out."""
    arena.escapes(SOURCE, "capabilities", "user", "seccomp")
