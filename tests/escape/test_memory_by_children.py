"""Takes the memory in several processes. Stopped by the cgroup: the limit is the container's."""

SOURCE = """
import os
import numpy as np
def work(x, steps):
    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            a = np.ones(18 << 20)
            import time; time.sleep(0.3)
            os._exit(0 if a[-1] == 1 else 1)
        children.append(pid)
    good = all(os.waitpid(p, 0)[1] == 0 for p in children)
    return np.full_like(x, 1.0 if good else 0.0)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


def test_without_the_rule_it_escapes(arena):
    """The attack bites when memory is left out."""
    arena.escapes(SOURCE, "memory")
