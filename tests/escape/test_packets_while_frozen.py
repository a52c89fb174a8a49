"""Opens internet sockets, whose paced packets the kernel would send on while it is frozen, on the core of whoever is timed then.
Stopped by the filter."""

SOURCE = """
import socket
import numpy as np
SO_MAX_PACING_RATE = 47
def work(x, steps):
    made = 0
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as s:
                s.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, 1 << 20); made += 1
        except OSError: pass
    return np.full_like(x, float(made > 0))
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when loopback is left out."""
    arena.escapes(SOURCE, "loopback")
