"""The decision rule, against its definition, exact arithmetic, and simulation."""

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.domain.measurement import Decision
from autograder.domain.project import Standing, standing
from autograder.measure.rotation import Rotation
from autograder.measure.statistics import Rule, Tiers, binomial_bounds, decide, interval, least_wins, log_e, median

RULE = Rule()


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_e_value_equals_its_integral(wins, losses):
    """2^(n+1) ∫_{1/2}^1 p^W (1−p)^L dp, by exact integration of the expanded polynomial."""
    n = wins + losses
    total = Fraction(0)
    for j in range(losses + 1):
        power = wins + j + 1
        total += (-1) ** j * math.comb(losses, j) * (1 - Fraction(1, 2) ** power) / power
    expected = total * 2 ** (n + 1)
    assert math.isclose(log_e(wins, n), math.log(expected), rel_tol=1e-9, abs_tol=1e-9)


@given(st.integers(0, 60))
def test_the_e_value_is_a_martingale_under_the_null(n):
    """With p = ½ the expected next e-value is the present one: that is what makes peeking free."""
    for wins in range(n + 1):
        now = math.exp(log_e(wins, n))
        then = (math.exp(log_e(wins + 1, n + 1)) + math.exp(log_e(wins, n + 1))) / 2
        assert math.isclose(now, then, rel_tol=1e-9)


def test_fewer_than_n_min_rounds_decide_nothing():
    """Eleven perfect rounds are not twelve."""
    assert decide([9.0] * 11, 1.0, RULE) is Decision.UNDECIDED
    assert decide([9.0] * 40, 1.0, RULE) is Decision.PASS
    assert decide([0.1] * 12, 1.0, RULE) is Decision.FAIL


def test_a_ratio_that_is_not_a_number_never_passes():
    """NaN is neither above nor below; a comparison with it is false."""
    assert decide([math.nan] * 200, 1.0, RULE) is Decision.UNDECIDED


@given(st.lists(st.floats(0.1, 10), min_size=12, max_size=120))
def test_the_interval_holds_the_median(ratios):
    """Whenever it is finite."""
    low, high = interval(ratios, 0.005)
    assert low <= median(ratios) <= high


def test_least_wins_is_a_majority():
    """Evidence needs more than half, and grows with the level asked."""
    for n in range(12, 200):
        assert n / 2 < least_wins(n, math.log(400)) <= n + 1
        assert least_wins(n, math.log(400)) <= least_wins(n, math.log(20_000))


@pytest.mark.parametrize(
    "ratio,wrong", [(0.90, Decision.PASS), (0.95, Decision.PASS), (1.0, Decision.FAIL), (1.1, Decision.FAIL)]
)
def test_wrong_decisions_are_as_rare_as_published(ratio, wrong):
    """Simulated pair noise of 5 % with heavy tails; 1500 decisions each. Allowed: α plus four binomial sd."""
    chance = random.Random(f"{ratio}")
    errors = 0
    for _ in range(1500):
        tiers = Tiers([1.0], RULE)
        while len(tiers.ratios) < RULE.n_max and not tiers.settled:
            noise = chance.gauss(0, 0.05) + (chance.random() < 0.05) * chance.gauss(0, 0.5)
            tiers.add(ratio * math.exp(noise))
        errors += tiers.decisions[0] is wrong
    alpha = RULE.alpha_pass if wrong is Decision.PASS else RULE.alpha_fail
    assert errors <= 1500 * alpha + 4 * math.sqrt(1500 * alpha)


def test_decisions_are_sticky():
    """A tier that was passed is not failed by later rounds."""
    tiers = Tiers([1.0], RULE)
    for _ in range(30):
        tiers.add(2.0)
    for _ in range(100):
        tiers.add(0.5)
    assert tiers.decisions == [Decision.PASS]


def test_binomial_bounds_agree_with_known_values():
    """Clopper–Pearson, 0 of 2000 and 5 of 100, against published tables."""
    assert binomial_bounds(0, 2000)[0] == 0.0
    assert math.isclose(binomial_bounds(0, 2000)[1], 1 - 0.025 ** (1 / 2000), rel_tol=1e-6)
    low, high = binomial_bounds(5, 100)
    assert math.isclose(low, 0.016432, abs_tol=1e-5)
    assert math.isclose(high, 0.112835, abs_tol=1e-5)


def test_a_launch_that_is_a_per_cent_off_fails_nobody():
    """As fast as asked, and it looks like 0.988; without the margin a third would fail."""
    chance = random.Random(11)

    def decisions(rule):
        found = []
        for _ in range(100):
            tiers = Tiers((1.0,), rule)
            while not tiers.settled and len(tiers.ratios) < rule.n_max:
                tiers.add(0.988 * math.exp(chance.gauss(0, 0.01)))
            found.append(tiers.decisions[0])
        return found

    assert decisions(Rule(launch_pass=0.0, launch_fail=0.0)).count(Decision.FAIL) > 30
    assert decisions(Rule()).count(Decision.FAIL) <= 1


@pytest.mark.parametrize(
    "true,noise,slowed,expected",
    [
        (3.0, 0.03, 0.1, Standing.VERIFIED),  # one round in ten is 1.3 times too good
        (3.0, 0.10, 0.0, Standing.VERIFIED),
        (3.24, 0.04, 0.0, Standing.VERIFIED),
        (2.0, 0.05, 0.1, Standing.SLOWER),
        (4.5, 0.05, 0.1, Standing.FASTER),
    ],
)
def test_a_claim_is_played_until_its_interval_tells(true, noise, slowed, expected):
    """Of 3: a few wide rounds at the end of the usual duel left the interval across an edge, and a true claim undecided."""
    rng = random.Random(1)
    for _ in range(40):
        rotation = Rotation((0.85 * 3, 1.15 * 3), RULE, 2, 5, edges=True)
        while not rotation.over:
            rotation.add(rotation.turn, true * rng.gauss(1, noise) * (1.3 if rng.random() < slowed else 1.0))
        assert standing(3.0, interval(rotation.tiers.ratios, RULE.alpha_fail)) is expected
        assert rotation.tiers.settled and rotation.rounds < RULE.n_max


def test_a_claim_at_its_edge_is_played_to_the_end():
    """No number of rounds tells; that is an answer, too."""
    rng = random.Random(2)
    rotation = Rotation((0.85, 1.15), RULE, 2, 5, edges=True)
    while not rotation.over:
        rotation.add(rotation.turn, 1.15 * rng.gauss(1, 0.02))
    assert rotation.rounds == RULE.n_max and not rotation.tiers.settled


def test_a_known_program_that_won_at_first_has_not_won_when_the_machine_turns():
    """What it lost in the rounds in which the submission lost counts: nobody loses a tier by those."""
    rotation = Rotation((1.0,), RULE, 1, 1, controlled=True)
    for n in range(RULE.n_min):
        rotation.add(0, 1.2 if n % 2 else 0.9, 1.2)
    assert rotation.control.decisions == [Decision.PASS] and not rotation.over
    while not rotation.over:
        rotation.add(0, 0.8, 0.8)
    assert rotation.tiers.decisions == [Decision.FAIL] and rotation.control.decisions == [Decision.FAIL]
