"""A grade as JSON and back."""

from __future__ import annotations

import json
import math

from autograder.domain.grade import CriterionResult, Grade
from autograder.domain.measurement import Control, Decision, DuelOutcome, Round, TierOutcome
from autograder.domain.verdict import Verdict
from tests.conftest import REPOSITORY


def graded(high: float) -> Grade:
    """With a duel whose interval ends there."""
    rounds = (Round(0.1, 0.2, 0.5, 0, True), Round(0.1, 0.2, 0.5, 1, False, "the hypervisor took 9 ms"))
    beside = (Round(0.1, 0.2, 0.5, 0, True, control=0.9),)
    control = Control((0.6,), (Decision.FAIL,), 0.9, 0.5, beside, after=(17,))
    duel = DuelOutcome(
        "f", 0.5, (0.0, high), 0.995, rounds, (TierOutcome(0.2, 5.0, Decision.UNDECIDED, 1),), 0.1, 0.2, 0.0, 1e-4, 1.0,
        "1 of 2 rounds were disturbed", curve=((1, 0.9),), control=control, against="the baseline",
    )  # fmt: skip
    criteria = (
        CriterionResult("a", "A", 1.0, 2.0, Verdict.PASSED, "Correct.", True, {"checks": []}),
        CriterionResult("s", "S", 0.0, 5.0, Verdict.INCONCLUSIVE, "…", False, {"checks": []}, duel),
    )
    return Grade("a04", "x.py", "00", criteria, {"id": "m"}, {"version": "1"}, 1.5, 0.5)


def test_a_grade_comes_back_as_it_went():
    """Through text that any JSON parser reads, also where an interval has no upper bound yet."""
    for high in (0.7, math.inf):
        before = graded(high)
        text = json.dumps(before.to_json(), allow_nan=False)
        assert Grade.from_json(json.loads(text)) == before


def test_a_grade_of_an_older_version_is_read():
    """Which did not say what was timed beside the submission."""
    body = graded(0.7).to_json()
    del body["criteria"][1]["evidence"]["against"]
    assert Grade.from_json(body).criteria[1].duel.against == "the reference"


def test_what_a_student_sees_of_a_hidden_criterion_has_no_evidence():
    """Also after the way through JSON."""
    shown = Grade.from_json(json.loads(json.dumps(graded(0.7).to_json()))).for_student()
    assert shown.criteria[1].evidence == {} and shown.criteria[0].evidence == {"checks": []}


def test_the_readme_names_what_is_in_a_grade():
    """Every key and every verdict: others read this object."""
    found = graded(0.7).to_json()
    names = {*found, *found["criteria"][0], *found["criteria"][1]["evidence"], *map(str, Verdict)}
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert not {name for name in names if f"`{name}`" not in text}
