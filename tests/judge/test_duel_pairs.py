"""Process pairs at odds: a launch that drew a slow layout decides no tier by itself. Simulated times, the real duel."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.domain.assignment import Argument, Criterion, CriterionKind, Dim, Function, Role, Tier, ValueType
from autograder.domain.execution import CallOutcome
from autograder.domain.measurement import Decision
from autograder.domain.verdict import Verdict
from autograder.judge.compare import CheckFailure
from autograder.judge.duel import CACHE_FACTOR, Cast, Duel
from autograder.judge.empties import EMPTY_CALLS
from autograder.measure.statistics import Rule, at_odds

from .theatre import EMPTY_S, FUNCTION, Guest, Theatre


def duel(chance, threshold=1.0, max_pairs=5, idle="", lies_s=EMPTY_S, **slow):
    """One whole duel; its outcome and its cast."""
    theatre = Theatre(chance, **slow)
    for pair in range(2):
        theatre.actor(pair, "kernel", 0).says_empty_s = lies_s
    criterion = Criterion("s", "S", 1, CriterionKind.SPEEDUP, tiers=(Tier(threshold, 1.0),))
    made = Duel(
        theatre, FUNCTION, criterion, Rule(), lambda rng: (1,), lambda *_: None, np.random.default_rng(1),
        max_pairs=max_pairs, chance=chance, idle=idle,
    )  # fmt: skip
    return made.run(), theatre


def decisions(times, **more):
    """What many duels said."""
    chance = random.Random(5)
    return [duel(chance, **more)[0].tiers[0].decision for _ in range(times)]


def test_the_stand_in_is_a_cast():
    """Every method of the protocol."""
    names = {name for name, value in vars(Cast).items() if callable(value) and not name.startswith("_")}
    assert names == {"actor", "retire", "unwrap"}
    assert names <= set(dir(Theatre))


def test_a_slow_launch_fails_nobody():
    """Just as fast as asked, one launch of five ten per cent slower: with two pairs alone most would fail."""
    alone = decisions(60, submissions=(1.0, 1.1), max_pairs=2)
    assert alone.count(Decision.FAIL) > 30
    assert decisions(60, submissions=(1.0, 1.1)).count(Decision.FAIL) <= 1


def test_a_slow_reference_passes_nobody_and_is_retired():
    """Just below the band, one reference of five twelve per cent slower: it serves in no further duel."""
    alone = decisions(60, submissions=(1.053,) * 5, references=(1.12, 1.0), max_pairs=2)
    assert alone.count(Decision.PASS) > 10
    assert decisions(60, submissions=(1.053,) * 5, references=(1.12, 1.0)).count(Decision.PASS) <= 1
    _, theatre = duel(random.Random(3), submissions=(1.053,) * 5, references=(1.12, 1.0))
    assert theatre.retired == [(0, "kernel")]


def test_pairs_that_agree_cost_nothing_more():
    """Two suffice, and nobody is retired."""
    outcome, theatre = duel(random.Random(7), threshold=0.9)
    assert {r.pair for r in outcome.rounds} == {0, 1} and theatre.retired == []
    assert outcome.tiers[0].decision is Decision.PASS


def test_no_pair_is_started_that_a_device_has_no_memory_for(monkeypatch):
    """It would end somebody's call for want of memory: two pairs decide, or one more, as there is room."""
    for room in (0, 1):
        monkeypatch.setattr(Guest, "room", room)
        outcome, theatre = duel(random.Random(3), submissions=(1.053,) * 5, references=(1.12, 1.0))
        assert {pair for pair, _ in theatre.made} == set(range(2 + room))
        assert len(outcome.rounds) >= Rule().n_min


def test_a_reference_that_is_not_ours_cannot_say_what_an_empty_call_costs():
    """Three times as fast in truth; 30 ms taken off both sides make that eleven, unless a guest of ours is asked instead."""
    slow = {"references": (3.0,) * 5, "lies_s": 0.03}
    fooled, _ = duel(random.Random(3), threshold=2.0, **slow)
    assert fooled.speedup > 8
    outcome, theatre = duel(random.Random(3), threshold=2.0, idle="idle", **slow)
    assert 2.8 < outcome.speedup < 3.2 and (0, "idle") in theatre.made


@pytest.mark.parametrize("kernel_s", [0.005, 0.4])
def test_an_empty_call_meets_caches_as_cold_as_a_round(kernel_s, monkeypatch):
    """Pairs are asked in turn, each after a call of the other; a long kernel, which they do not matter to, is not called for that."""
    said: list[tuple[str, int]] = []
    monkeypatch.setattr(Guest, "call", lambda guest, *_: said.append(("call", id(guest))) or outcome(kernel_s))
    monkeypatch.setattr(Guest, "empty", lambda guest, *_: said.append(("empty", id(guest))) or outcome(EMPTY_S))
    _, theatre = duel(random.Random(7), threshold=0.5)
    names = {id(guest): key for key, guest in theatre.made.items()}
    asked = [(i, names[who]) for i, (what, who) in enumerate(said) if what == "empty"]
    before, later = asked[: EMPTY_CALLS + 2], asked[EMPTY_CALLS + 2 :]
    assert [pair for _, (pair, _) in before[:4]] == [0, 1, 0, 1] and len(later) >= 4
    assert all(names[said[i - 1][1]][0] == 1 - pair and said[i - 1][0] == "call" for i, (pair, _) in later)
    for i, (pair, _) in before[1:]:
        what, who = said[i - 1]
        assert (what, names[who]) == (
            ("call", (1 - pair, "kernel")) if kernel_s < 0.05 else ("empty", (1 - pair, "kernel"))
        )


def dear_at_first(monkeypatch, calls, dear_s):
    """Every call costs that much beside its work, until so many were made; empty calls say so."""
    made = []
    call, empty = Guest.call, Guest.empty

    def cost():
        made.append(1)
        return dear_s if len(made) <= calls else 0.0

    def dearer(outcome):
        return CallOutcome(outcome.verdict, outcome.outputs, outcome.elapsed_s + cost())

    monkeypatch.setattr(Guest, "call", lambda guest, *given: dearer(call(guest, *given)))
    monkeypatch.setattr(Guest, "empty", lambda guest, *given: dearer(empty(guest, *given)))


def test_what_an_empty_call_costs_is_asked_again(monkeypatch):
    """A machine that is disturbed when the duel begins and quiet soon after: the speed is that of the calls themselves."""
    dear_at_first(monkeypatch, 50, 0.02)
    found, _ = duel(random.Random(7), threshold=0.9, submissions=(1.25,) * 5)
    assert 0.79 < found.speedup < 0.81 and found.empty_s < 2 * EMPTY_S
    assert found.tiers[0].decision is Decision.FAIL


def test_a_reference_that_takes_no_longer_than_nothing_measures_nothing(monkeypatch):
    """As if empty calls were dear when they were asked, and cheap in rounds."""
    monkeypatch.setattr(Guest, "says_empty_s", 1.0)
    theatre = Theatre(random.Random(3))
    criterion = Criterion("s", "S", 1, CriterionKind.SPEEDUP, tiers=(Tier(1.0, 1.0),))
    made = Duel(
        theatre,
        FUNCTION,
        criterion,
        Rule(),
        lambda rng: (1,),
        lambda *_: None,
        np.random.default_rng(1),
        chance=random.Random(3),
    )
    with pytest.raises(CheckFailure) as failed:
        made.run()
    assert failed.value.finding.verdict is Verdict.INCONCLUSIVE
    assert "the reference took no longer than an empty call" in failed.value.finding.detail


@pytest.mark.parametrize("fills", [False, True], ids=["returned", "filled"])
def test_the_floor_counts_every_array_that_is_moved_once(fills, monkeypatch):
    """An array that is handed over to be filled comes back as an output: that is one way, as for one that is returned."""
    x, y = (
        Argument(name, ValueType("", "f8", (Dim("n", 0),)), role) for name, role in (("x", Role.IN), ("y", Role.OUT))
    )
    given = (np.zeros(1000), np.zeros(500))[: 2 if fills else 1]
    function = Function("f", (x, y), ()) if fills else Function("f", (x,), (y.type,))
    monkeypatch.setattr(Guest, "call", lambda *_: CallOutcome(Verdict.PASSED, (np.zeros(500),), 0.04))
    criterion = Criterion("s", "S", 1, CriterionKind.SPEEDUP, tiers=(Tier(0.5, 1.0),))
    made = Duel(
        Theatre(random.Random(3)), function, criterion, Rule(), lambda rng: given, lambda *_: None,
        np.random.default_rng(1), chance=random.Random(3),
    )  # fmt: skip
    assert made.run().floor_s == pytest.approx(8 * 1500 / (CACHE_FACTOR * Guest.bandwidth))


def outcome(seconds):
    """Of a call that took so long."""
    return CallOutcome(Verdict.PASSED, (1.0,), seconds)


def test_far_from_every_tier_odds_do_not_matter():
    """Twice as fast as asked: twelve rounds or a few more, two pairs."""
    outcome, _ = duel(random.Random(7), threshold=0.5, submissions=(1.0, 1.2))
    assert {r.pair for r in outcome.rounds} == {0, 1} and len(outcome.rounds) <= 20


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([[1.0] * 5, [1.1] * 5], True),
        ([[1.0] * 4, [1.1] * 5], False),
        ([[1.0] * 5], False),
        ([[1.0, 1.01, 0.99, 1.0, 1.02], [1.02, 1.01, 1.0, 0.99, 1.0]], False),
        ([[1.0, 1.3, 0.8, 1.1, 0.9], [1.1, 1.3, 0.9, 1.0, 1.2]], False),
    ],
    ids=["ten per cent", "too few rounds", "one pair", "as one", "lost in noise"],
)
def test_odds_are_told_from_noise(groups, expected):
    """By share and by standard error."""
    assert at_odds(groups, 5, 0.03) is expected


@pytest.fixture
def clock(monkeypatch):
    """Time passes in calls alone."""
    now = [0.0]
    monkeypatch.setattr("autograder.judge.duel.time", SimpleNamespace(monotonic=lambda: now[0], sleep=lambda _: None))
    real = Guest.call

    def call(self, function, given, named, most_s=math.inf):
        outcome = real(self, function, given, named, most_s)
        more = next(self.more, 0.0)
        now[0] += outcome.elapsed_s + more
        return replace(outcome, elapsed_s=outcome.elapsed_s + more)

    monkeypatch.setattr(Guest, "call", call)
    return now


def timed(factor, more=()):
    """A duel of at most 270 s against 40 ms, for half the speed; so many seconds more in the first calls of each process."""
    theatre = Theatre(random.Random(3), submissions=(factor,) * 5)
    for pair in range(5):
        theatre.actor(pair, "", 0).more = iter(more)
    criterion = Criterion("s", "S", 1, CriterionKind.SPEEDUP, tiers=(Tier(0.5, 1.0),))
    return Duel(
        theatre, FUNCTION, criterion, Rule(), lambda rng: (1,), lambda *_: None, np.random.default_rng(1), most_s=270.0
    )  # fmt: skip


def test_who_cannot_play_the_least_number_of_rounds_is_too_slow(clock):
    """Not undecided, again and again, each time with the whole node for itself until the duel's time is up."""
    with pytest.raises(CheckFailure) as caught:
        timed(18 / 0.04).run()
    finding = caught.value.finding
    assert finding.verdict is Verdict.TOO_SLOW and "0.5× is the least that counts" in finding.plain
    assert clock[0] < 60
    clock[0] = 0.0
    with pytest.raises(CheckFailure) as caught:  # slower than it seemed at first
        timed(12 / 0.04, [0.0] * 3 + [8.0] * 99).run()
    assert caught.value.finding.verdict is Verdict.TOO_SLOW and 270 < clock[0] < 310
    assert timed(9 / 0.04).run().tiers[0].decision is Decision.FAIL  # who can, is told how slow it is


def test_a_machine_that_stood_still_is_not_the_submission_s_slowness(clock, monkeypatch):
    """Slow as it is, its calls took little of the time: a few rounds decide nothing."""
    real = Duel._round

    def stalls(*arguments):
        clock[0] += 100.0
        return real(*arguments)

    monkeypatch.setattr(Duel, "_round", stalls)
    assert timed(0.4 / 0.04).run().inconclusive == "no decision after 3 rounds"


def test_a_first_call_may_compile(clock):
    """In every pair: nobody is too slow by that."""
    assert timed(1.5, [25.0]).run().tiers[0].decision is Decision.PASS


def test_what_is_played_for_the_report_alone_takes_no_decision_back():
    """A submission that is too late with one worker, where everything is decided with two."""
    theatre = Theatre(random.Random(3), submissions=(0.5,) * 5)
    for pair in range(5):
        theatre.actor(pair, "", 0).fails_with = (1,)
    tiers = (Tier(1.0, 1.0),)
    criterion = Criterion("s", "S", 1, CriterionKind.SCALING, tiers=tiers, workers=2, calibrated=1.0)
    outcome = Duel(
        theatre, FUNCTION, criterion, Rule(), lambda rng: (), lambda *_: None, np.random.default_rng(1), workers="n"
    ).run()
    assert outcome.tiers[0].decision is Decision.PASS and not outcome.inconclusive and outcome.curve == ()
