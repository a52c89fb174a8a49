"""Looks for a way out. Stopped by having no network device but loopback."""

SOURCE = """
import numpy as np
def work(x, steps):
    devices = [l.split(":")[0].strip() for l in open("/proc/net/dev") if ":" in l]
    return np.full_like(x, 1.0 if any(d.startswith("eth") for d in devices) else 0.0)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when network is left out."""
    arena.escapes(SOURCE, "network")
