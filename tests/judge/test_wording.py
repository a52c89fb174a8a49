"""A duel in words, and what it keeps of them for the report."""

from __future__ import annotations

import random

import numpy as np
import pytest

from autograder.domain.assignment import Criterion, CriterionKind, Tier
from autograder.judge.duel import Duel
from autograder.judge.wording import describe_duel
from autograder.measure.statistics import Rule

from .theatre import FUNCTION, Theatre

SPEEDUP, SCALING = CriterionKind.SPEEDUP, CriterionKind.SCALING


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        (SPEEDUP, {}, "the reference kernel"),
        (SPEEDUP, {"against": "baseline"}, "the baseline"),
        (SCALING, {"workers": 2}, "the reference on one worker"),
    ],
)
def test_the_sentence_and_the_report_name_the_same_opponent(kind, more, words):
    """What the criterion is against."""
    theatre = Theatre(random.Random(3), submissions=(0.25, 0.25))
    criterion = Criterion("s", "S", 10, kind, tiers=(Tier(1.0, 10.0),), **more)
    knob = "n" if kind is SCALING else ""
    outcome = Duel(
        theatre, FUNCTION, criterion, Rule(), lambda rng: (1,), lambda *_: None, np.random.default_rng(1),
        chance=theatre.chance, workers=knob,
    ).run()  # fmt: skip
    assert outcome.against == words
    assert f"against {words} (" in describe_duel(criterion, outcome)
