"""Guests as plain processes, where they differ from a judge's other children."""

from __future__ import annotations

import os

import pytest

from autograder.api import Node, Options, Submission
from autograder.domain.submission import digest
from autograder.report.page import page
from autograder.sandbox.process import NotIsolated

from .. import conftest

pytestmark = pytest.mark.filterwarnings(f"ignore::{NotIsolated.__module__}.{NotIsolated.__qualname__}")
COUNTS = b"""
import os
def work(x, steps):
    raise RuntimeError(f"on {sorted(os.sched_getaffinity(0))}")
"""


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="the judge has no core to step aside to")
def test_a_guest_is_pinned_to_the_core_that_it_was_lent(basic):
    """Its judge, which starts it, has left that core to it before."""
    core = max(os.sched_getaffinity(0))
    with Node(Options(kind="subprocess", references=conftest.FIXTURES / "reference")) as node:
        made = Submission("counts", {"solution.py": COUNTS}, digest({"solution.py": COUNTS}))
        grade = node.grade(basic, made, only="examples", cores=(core,))
    assert f"on [{core}]" in grade.criteria[0].evidence["checks"][0]["detail"]
    assert grade.engine["isolated"] is False and "a try, never a grade" in page(grade)
