"""Sends a packet to an address that is not its own. Stopped by having no route."""

SOURCE = """
import socket
import numpy as np
def work(x, steps):
    ok = 0.0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try: s.connect(("192.0.2.1", 9)); ok = 1.0
        except OSError: pass
    return np.full_like(x, ok)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when network is left out."""
    arena.escapes(SOURCE, "network")
