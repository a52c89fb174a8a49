"""Progress in a line, from a judge beside us or through a service that tells students less."""

from __future__ import annotations

import json
import math

import pytest

from autograder.report.terminal import news
from hub.service.identity import Person
from hub.service.views import news_json

ROUND = {"phase": "duel", "criterion": "speed", "rounds": 3, "speedup": 1.234, "interval": (1.0, 1.5)}


@pytest.mark.parametrize("role", ["student", "ta"])
@pytest.mark.parametrize(
    ("said", "read"),
    [
        (ROUND, "speed: round 3, 1.23× [1, 1.5]"),
        (ROUND | {"interval": (0.0, math.inf)}, "speed: round 3, 1.23×"),
        ({"phase": "check", "criterion": "formula"}, "checking formula"),
        ({"phase": "load"}, "loading"),
    ],
)
def test_what_the_judge_says_is_read_alike_on_both_ways(said, read, role):
    """An interval without an upper end is null in JSON."""
    heard = json.loads(json.dumps(news_json(said, Person("ada", role)), allow_nan=False))
    assert news(said) == news(heard) == read


def test_a_problem_of_ours_is_staffs_business():
    """A student reads that it is tried again."""
    said = {"phase": "retry", "problem": "the engine\x1b[2J fell"}
    assert news(said) == "trying again (the engine�[2J fell)"
    assert news(news_json(said, Person("ada", "student"))) == "trying again: something failed on our side"


def test_a_message_with_nothing_in_it_ends_nobody():
    """A newer service may say what this client has never heard of."""
    for phase in ("duel", "check", "retry", "load", "dancing"):
        assert news({"phase": phase})
