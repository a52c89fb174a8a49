"""The page of a grading: what it says of a duel is what was measured."""

import pytest

from autograder.domain.grade import CriterionResult, Grade
from autograder.domain.measurement import Decision, DuelOutcome, Round, TierOutcome
from autograder.domain.project import CLAIM, Measured, Standing
from autograder.domain.verdict import Verdict
from autograder.report.page import page


def graded(evidence, **more):
    """One duel."""
    rounds = tuple(Round(0.3, 0.1, 3.0 + i / 100, 0, True) for i in range(3))
    tiers = (TierOutcome(1.0, 5.0, Decision.PASS, 3),)
    duel = DuelOutcome("f", 3.0, (2.9, 3.1), 0.995, rounds, tiers, 0.3, 0.1, 0.0, 1e-4, 1.0, **more)
    row = CriterionResult("s", "Speed", 5.0, 5.0, Verdict.PASSED, "Fast.", True, evidence, duel)
    machine = {"processor": "p", "cores": 2, "memory_gb": 4, "kernel": "k", "id": "m"}
    return Grade("a", "x.py", "00", (row,), machine, {"isolated": True}, 1.5, 0.5)


FOUND = Measured("s", 3.0, Standing.VERIFIED, 3.0, (2.9, 3.1), (3.0,), 0.3, 0.1).to_json()


@pytest.mark.parametrize(
    ("evidence", "more", "theirs"),
    [
        ({}, {"against": "the baseline"}, "the baseline and your code"),
        ({}, {"against": "the reference on one worker", "workers": 2, "canary": 1.9}, "the reference on one worker and your code"),
        ({CLAIM: FOUND}, {"against": "the team's baseline"}, "your baseline and your program"),
        ({}, {}, "the reference and your code"),
    ],
    ids=["baseline", "scaling", "claim", "an older grade"],
)  # fmt: skip
def test_a_duel_is_against_what_was_timed(evidence, more, theirs):
    """In the text, and at the axis of its rounds."""
    text = page(graded(evidence, **more))
    assert f"Each round runs {theirs} on the same" in text
    axis = text[text.index("speedup against") :]
    assert f">{theirs.rpartition(' and ')[0]}<" in axis
