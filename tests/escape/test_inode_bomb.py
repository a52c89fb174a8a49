"""Makes files without end. Stopped by the number of inodes of the tmpfs."""

SOURCE = """
import numpy as np
def work(x, steps):
    ok = 1.0
    try:
        for i in range(20000): open(f"/work/f{i}", "w").close()
    except OSError: ok = 0.0
    return np.full_like(x, ok)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when scratch is left out."""
    arena.escapes(SOURCE, "scratch")
