"""Programs written from the handouts, by other algorithms, languages and libraries: no tolerance fits our own ones only.

They are correct, so nothing but their speed may cost them a point; nobody tuned a check to them, or them to a check.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.api import Node, Options, find, load, receive

PROGRAMS = sorted(Path(__file__).resolve().parents[1].glob("independent/*/*.py"))


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_a_correct_program_loses_points_for_speed_alone(path):
    """Every correctness criterion in full; the duel says whatever it says, but not that an output was wrong."""
    assignment = load(find(path.parent.name, Path(__file__).resolve().parents[2] / "assignments"))
    with Node(Options(pairs=1)) as node:
        grade = node.grade(assignment, receive(path, assignment.limits.submission_kb))
    timed = {c.id for c in assignment.criteria if c.kind.timed}
    for criterion in grade.criteria:
        allowed = (
            ("passed", "too-slow", "inconclusive", "waiting-for-hardware") if criterion.id in timed else ("passed",)
        )
        assert criterion.verdict in allowed, (criterion.id, criterion.sentence, criterion.evidence)
