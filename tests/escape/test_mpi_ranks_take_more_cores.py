"""A rank widens its set of cores, to do the work of all with threads on cores that were not leased.

Stopped by the cpuset of the container, which no rank can leave.
"""

import os

import pytest

from .ranks import HONEST

SOURCE = (
    HONEST
    + """
import os
def total(comm, x):
    try:
        os.sched_setaffinity(0, range(64))
    except OSError:
        pass
    return float(len(os.sched_getaffinity(0)))
"""
)
pytestmark = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs a second core that could be taken")


def test_the_sandbox_holds(ranks):
    """Every rank still has the one core of the lease."""
    outcome = ranks.probe(SOURCE)
    assert outcome.verdict == "passed" and set(outcome.outputs[0]) == {1.0}, outcome


def test_it_bites_without_the_rule(ranks):
    """Without the cpuset it has them all."""
    outcome = ranks.probe(SOURCE, "cpuset")
    assert outcome.verdict == "passed" and min(outcome.outputs[0]) >= 2.0, outcome
