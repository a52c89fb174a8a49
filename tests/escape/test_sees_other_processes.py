"""Looks for processes of the judge and of other students. Stopped by a pid namespace of its own."""

SOURCE = """
import os
import numpy as np
def work(x, steps):
    others = [p for p in os.listdir("/proc") if p.isdigit()]
    return np.full_like(x, 1.0 if len(others) > 6 else 0.0)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when pid is left out."""
    arena.escapes(SOURCE, "pid")
