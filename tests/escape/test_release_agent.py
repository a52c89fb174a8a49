"""Writes to the cgroup's files, to have the host run a program. Stopped by a read-only cgroup mount and an ordinary user."""

SOURCE = """
import ctypes, os
import numpy as np
libc = ctypes.CDLL(None, use_errno=True)
def work(x, steps):
    ok = False
    for here, _, names in os.walk("/sys/fs/cgroup"):
        for name in ("cgroup.procs", "notify_on_release"):
            if name in names and os.access(os.path.join(here, name), os.W_OK): ok = True
        if ok: break
    return np.full_like(x, 1.0 if ok else 0.0)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when privileged and user and read-only is left out."""
    arena.escapes(SOURCE, "privileged", "user", "read-only")
