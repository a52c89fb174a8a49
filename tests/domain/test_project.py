"""Claims against what was measured."""

import json
import math
from dataclasses import replace

import pytest

from autograder.domain.assignment import Kind, Resources
from autograder.domain.measurement import DuelOutcome, Round
from autograder.domain.project import Claim, Measured, Standing, of_duel, standing


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ((9.0, 11.0), Standing.VERIFIED),
        ((8.5, 11.5), Standing.VERIFIED),
        ((8.49, 9.0), Standing.UNDECIDED),
        ((11.0, 11.51), Standing.UNDECIDED),
        ((5.0, 8.49), Standing.SLOWER),
        ((11.51, 30.0), Standing.FASTER),
        ((0.0, math.inf), Standing.UNDECIDED),
        ((math.nan, math.nan), Standing.UNDECIDED),
    ],
)
def test_the_whole_interval_lies_within_the_tolerance_or_the_claim_is_not_verified(interval, expected):
    """Of a claim of ten; what is not a number verifies nothing."""
    assert standing(10.0, interval) is expected


def test_a_duel_that_decided_nothing_verifies_nothing():
    """However its interval lies: too many rounds may have been dropped."""
    claim = Claim("a", "A", "f", "b.py", "p.py", 3.0, 0.0, Kind.SERIAL, Resources(), {})
    rounds = (Round(3.0, 1.0, 3.0, 0, True), Round(9.0, 1.0, 9.0, 0, True, "somebody else computed"))
    duel = DuelOutcome("f", 3.0, (2.9, 3.1), 0.995, rounds, (), 3.0, 1.0, 0.0, 0.0, 0.0)
    assert of_duel(claim, duel).standing is Standing.VERIFIED and of_duel(claim, duel).ratios == (3.0,)
    found = of_duel(claim, replace(duel, inconclusive="half of the rounds were disturbed"))
    assert found.standing is Standing.UNDECIDED and "disturbed" in found.words


def test_results_survive_json():
    """Numbers, and the absence of numbers."""
    known = Measured("a", 3.0, Standing.VERIFIED, 3.1, (2.9, 3.3), (3.0, 3.2), 0.3, 0.1)
    unknown = Measured("b", 3.0, Standing.FAILED, words="it crashed")
    for one in (known, unknown):
        again = Measured.from_json(json.loads(json.dumps(one.to_json(), allow_nan=False)))
        assert repr(again) == repr(one)  # NaN is not equal to itself
