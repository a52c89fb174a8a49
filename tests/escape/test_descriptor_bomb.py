"""Opens files without end. Stopped by the limit on open files."""

SOURCE = """
import os
import numpy as np
def work(x, steps):
    ok, held = 1.0, []
    try:
        for _ in range(4000): held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError: ok = 0.0
    for fd in held: os.close(fd)
    return np.full_like(x, ok)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when ulimits is left out."""
    arena.escapes(SOURCE, "ulimits")
