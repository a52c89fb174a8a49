"""Asks to be root. Stopped by being an ordinary user without capabilities."""

SOURCE = """
import os
import numpy as np
def work(x, steps):
    try: os.setuid(0)
    except OSError: pass
    return np.full_like(x, 1.0 if os.getuid() == 0 else 0.0)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when user is left out."""
    arena.escapes(SOURCE, "user")
