"""Writes where the next container would find it. Stopped by a read-only root and an ordinary user."""

SOURCE = """
import numpy as np
def work(x, steps):
    ok = 0.0
    for name in ("/opt/venv/lib/python3.11/site-packages/evil.pth", "/usr/lib/evil", "/etc/ld.so.preload"):
        try: open(name, "w").close(); ok = 1.0
        except OSError: pass
    return np.full_like(x, ok)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when read-only and user is left out."""
    arena.escapes(SOURCE, "read-only", "user")
