"""The grade of whoever was not graded, because the grader failed."""

from __future__ import annotations

from autograder import __version__
from autograder.domain.assignment import Assignment, Criterion
from autograder.domain.grade import CriterionResult, Grade
from autograder.domain.submission import Submission
from autograder.domain.verdict import Verdict, sentence
from autograder.measure.machine import fingerprint


def failed(assignment: Assignment, submission: Submission, problem: str, asked: list[Criterion]) -> Grade:
    """The verdict when we failed: no point is lost for good, staff are told."""
    criteria = tuple(
        CriterionResult(
            c.id,
            c.title,
            0.0,
            c.points,
            Verdict.GRADER_FAILED,
            sentence(Verdict.GRADER_FAILED),
            c.public,
            {"problem": problem},
        )
        for c in asked
    )
    return Grade(
        assignment.slug, submission.name, submission.sha256, criteria, fingerprint(), {"version": __version__}, 0.0, 0.0
    )
