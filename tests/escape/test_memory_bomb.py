"""Takes more memory than the assignment allows. Stopped by the cgroup, without swap."""

SOURCE = """
import numpy as np
def work(x, steps):
    a = np.ones(75 << 20)
    return np.full_like(x, a[-1])
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when memory is left out."""
    arena.escapes(SOURCE, "memory")
