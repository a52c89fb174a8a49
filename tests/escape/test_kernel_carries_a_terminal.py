"""Floods a pseudo-terminal of its own: threads of the kernel's carry what is written, on the cores that are timed and on nobody's
account, so that slow rounds look disturbed and are dropped. Stopped by a container without terminals."""

SOURCE = """
import os
import numpy as np
def work(x, steps):
    carried = 0
    try:
        ours, theirs = os.openpty()
        os.write(ours, b"a line\\n")
        carried = len(os.read(theirs, 7))
    except OSError: pass
    for name in ("/dev/ptmx", "/dev/pts/ptmx"):
        try:
            found = os.open(name, os.O_RDWR | os.O_NOCTTY)
            carried += os.write(found, b"a line\\n")
        except OSError: pass
    return np.full_like(x, float(carried > 0))
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when terminals is left out."""
    arena.escapes(SOURCE, "terminals")
