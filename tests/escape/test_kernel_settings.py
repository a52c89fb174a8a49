"""Makes `/proc/sys` writable again and changes the kernel's settings. Stopped by having no capability, and an ordinary user."""

SOURCE = """
import ctypes, os
import numpy as np
libc = ctypes.CDLL(None, use_errno=True)
def work(x, steps):
    libc.mount(b"proc", b"/proc/sys", None, 0x1020, None)
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
    """The attack bites when capabilities and user and seccomp is left out."""
    arena.escapes(SOURCE, "capabilities", "user", "seccomp")
