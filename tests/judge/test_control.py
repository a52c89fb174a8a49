"""A tier is lost only in rounds in which a program that deserves it wins it. Simulated times, the real duel."""

from __future__ import annotations

import random

import numpy as np
import pytest

from autograder.domain.assignment import Criterion, CriterionKind, Tier
from autograder.domain.execution import CallOutcome
from autograder.domain.measurement import Decision
from autograder.domain.verdict import Verdict
from autograder.judge.compare import CheckFailure
from autograder.judge.duel import Duel
from autograder.judge.wording import describe_duel
from autograder.measure.statistics import Rule

from .theatre import FUNCTION, KNOWN, Guest, Theatre

TIERS = (0.5, 0.7, 0.9)


def duel(theatre, control="known.py", thresholds=TIERS, **more):
    """One whole duel for tiers of ten points each."""
    tiers = tuple(Tier(t, 10.0) for t in thresholds)
    criterion = Criterion("s", "S", 30, CriterionKind.SPEEDUP, tiers=tiers, control=control)
    made = Duel(
        theatre, FUNCTION, criterion, Rule(), lambda rng: (1,), lambda *_: None, np.random.default_rng(1),
        max_pairs=5, chance=theatre.chance, **more,
    )  # fmt: skip
    return made.run()


def run(speed, known, seed=3, **more):
    """A submission and a known program of these speeds, and what the duel says."""
    theatre = Theatre(random.Random(seed), submissions=(1 / speed,) * 5, controls=(1 / known,) * 5)
    return duel(theatre, **more), theatre


def decisions(outcome):
    """Of all tiers, in order."""
    return [str(t.decision) for t in outcome.tiers]


def test_a_loss_stands_where_the_known_program_wins():
    """In rounds of their own; what was lost by far is not asked about."""
    outcome, _ = run(0.6, 1.0)
    assert decisions(outcome) == ["pass", "fail", "fail"] and not outcome.inconclusive
    control = outcome.control
    assert control.thresholds == (0.7, 0.9) and control.doubt == ""
    assert abs(control.speedup - 1.0) < 0.02 and abs(control.submission - 0.6) < 0.02
    assert len(control.counted) >= Rule().n_min and all(r.control > 0 for r in control.rounds)
    assert all(r.control == 0 for r in outcome.rounds)


def test_what_slows_the_known_program_too_costs_nobody_a_tier():
    """A disturbance of a third that the reference does not feel: both lose the last tier, so the machine lost it."""
    outcome, _ = run(0.67, 0.75)
    assert decisions(outcome) == ["pass", "undecided", "undecided"]
    assert "did not earn it in the same rounds (0.7" in outcome.inconclusive
    criterion = Criterion("s", "S", 30, CriterionKind.SPEEDUP)
    said = describe_duel(criterion, outcome)
    assert "× is reached; 0.7× could not be decided: a program that earns" in said and "gives no points" in said


def moody(monkeypatch):
    """A duel of a submission that is slow for its first calls, and then as fast as the known program."""
    calls = Guest.call

    def call(guest, *given):
        outcome = calls(guest, *given)
        if guest is not theatre.made.get((0, "")) and guest is not theatre.made.get((1, "")):
            return outcome
        guest.asked = getattr(guest, "asked", 0) + 1
        slower = 1.5 if guest.asked < 15 else 1.0
        return CallOutcome(outcome.verdict, outcome.outputs, outcome.elapsed_s * slower)

    monkeypatch.setattr(Guest, "call", call)
    theatre = Theatre(random.Random(3))
    return duel(theatre)


def test_what_was_lost_in_a_bad_minute_is_won_in_a_good_one(monkeypatch):
    """By the rounds beside the known program."""
    outcome = moody(monkeypatch)
    assert outcome.control.thresholds == (0.7, 0.9) and not outcome.inconclusive
    assert decisions(outcome) == ["pass", "pass", "pass"] and 0.98 < outcome.speedup < 1.02
    low, high = outcome.interval
    assert low <= outcome.speedup <= high


def test_what_is_said_of_a_tier_that_was_won_again_is_of_the_rounds_that_won_it(monkeypatch):
    """Rounds, seconds and interval go with the speedup; the interval is one of two, and its level says so."""
    outcome = moody(monkeypatch)
    again = outcome.control.counted
    assert outcome.witnesses == again and len(again) != len(outcome.counted)
    assert outcome.reference_s / outcome.submission_s == pytest.approx(outcome.speedup, rel=0.02)
    assert [t.rounds for t in outcome.tiers][1:] == list(outcome.control.after) and outcome.level == pytest.approx(0.99)
    sentence = describe_duel(Criterion("s", "S", 30, CriterionKind.SPEEDUP), outcome)
    assert f"{len(again)} rounds)" in sentence and "99.0% interval" in sentence


@pytest.mark.parametrize(
    ("speed", "more"),
    [(1.0, {}), (0.2, {}), (0.6, {"control": ""})],
    ids=["nothing is lost", "no disturbance could explain it", "there is none"],
)
def test_it_costs_nothing_where_it_is_not_needed(speed, more):
    """No guest is started for it."""
    outcome, theatre = run(speed, 1.0, **more)
    assert outcome.control is None and not outcome.inconclusive
    assert KNOWN not in {role for _, role in theatre.made}


def test_only_what_may_be_disputed_is_asked_about():
    """Less than half of a threshold is a loss on any machine: it stands whatever the known program does."""
    outcome, _ = run(0.3, 0.55)
    assert outcome.control.thresholds == (0.5,) and decisions(outcome) == ["fail", "fail", "fail"]
    outcome, _ = run(0.3, 0.3)
    assert decisions(outcome) == ["undecided", "fail", "fail"] and outcome.inconclusive


@pytest.mark.parametrize("rounds", [0, 5, 25])
def test_a_duel_that_runs_out_of_time_decides_nothing(rounds, monkeypatch):
    """Before its rounds, among them, or among those beside the known program: open, and nobody's fault."""
    theatre = Theatre(random.Random(3), submissions=(1 / 0.6,) * 5)
    asked = iter([0.0] + [1.0] * rounds + [3.0] * 400)
    monkeypatch.setattr("autograder.judge.duel.time.monotonic", lambda: next(asked))
    if rounds == 0:
        with pytest.raises(CheckFailure, match="no round fitted in its time"):
            duel(theatre, most_s=2.0)
        return
    outcome = duel(theatre, most_s=2.0)
    assert outcome.inconclusive.startswith("no decision after") and decisions(outcome)[2] == "undecided"
    assert (outcome.control is None) is (rounds == 5)
    assert outcome.control is None or 0 < len(outcome.control.rounds) < 12


@pytest.mark.parametrize("seconds", [2.0, 7.3, 11.0])
def test_whose_calls_take_long_has_time_for_both_chances(seconds, monkeypatch):
    """A plain program within reach of the least tier, as a19's baseline: too slow, and not for ever undecided."""
    theatre = Theatre(random.Random(3), submissions=(seconds / 0.04,) * 5)
    spent = lambda: sum(guest.window.spent_s for guest in theatre.made.values())  # noqa: E731
    monkeypatch.setattr("autograder.judge.duel.time.monotonic", spent)
    ratio = 0.04 / seconds
    outcome = duel(theatre, thresholds=(1.5 * ratio, 10 * ratio), most_s=270.0)
    assert decisions(outcome) == ["fail", "fail"] and not outcome.inconclusive
    assert outcome.control.thresholds == (1.5 * ratio,) and spent() < 2 * 270


def test_a_known_program_that_breaks_is_a_failure_of_ours(monkeypatch):
    """Never the student's."""
    calls = Guest.call

    def broken(guest, *given):
        ended = CallOutcome(Verdict.CRASHED, (), 0.1)
        return ended if guest is theatre.made.get((0, KNOWN)) else calls(guest, *given)

    monkeypatch.setattr(Guest, "call", broken)
    theatre = Theatre(random.Random(3), submissions=(2.0,) * 5)
    with pytest.raises(CheckFailure) as failed:
        duel(theatre)
    assert failed.value.finding.verdict is Verdict.GRADER_FAILED
    assert "the control failed" in failed.value.finding.detail


def test_who_deserves_a_tier_is_failed_less_often_than_before_and_who_does_not_as_surely():
    """Two hundred duels each: just as fast as asked; and eight per cent too slow."""
    chance = random.Random(11)

    def failed(times, speed, control):
        said = []
        for _ in range(times):
            theatre = Theatre(chance, submissions=(1 / speed,) * 5, controls=(1 / 1.1,) * 5)
            said.append(duel(theatre, control, (1.0,)).tiers[0].decision)
        return said.count(Decision.FAIL), said.count(Decision.PASS)

    assert failed(200, 1.0, "known.py")[0] <= failed(200, 1.0, "")[0] <= 2
    assert failed(200, 0.92, "known.py") == (200, 0)
    assert failed(200, 0.945, "known.py")[1] == 0
