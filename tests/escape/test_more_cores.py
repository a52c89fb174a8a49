"""Moves to cores that were not leased. Stopped by the cpuset, which a process cannot leave."""

import os

import pytest

SOURCE = """
import os
import numpy as np
def work(x, steps):
    try: os.sched_setaffinity(0, range(256))
    except OSError: pass
    return np.full_like(x, 1.0 if len(os.sched_getaffinity(0)) > 1 else 0.0)
"""


def test_the_sandbox_holds(arena):
    """What was tried did not succeed."""
    arena.held(SOURCE)


@pytest.mark.skipif(os.cpu_count() == 1, reason="this machine has one core: there is no other to move to")
def test_without_the_rule_it_escapes(arena):
    """The attack bites when cpuset is left out."""
    arena.escapes(SOURCE, "cpuset")
