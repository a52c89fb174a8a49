"""Plots of a duel: nothing that was measured is left out, and no axis is without a number."""

import re
from xml.etree import ElementTree

import pytest

from autograder.domain.measurement import Control, Decision, DuelOutcome, Round, TierOutcome
from autograder.domain.project import Measured, Standing
from autograder.report import plots
from autograder.report.drawing import BAD, GOOD
from autograder.report.plots import rounds

SPANS = [(0.21, 0.9), (0.21, 0.45), (1.1, 1.9), (2.1, 4.9), (5.3, 9.7), (0.05, 900.0), (1.999, 2.001)]


def trace(*ratios, control=0.0):
    """Rounds of one pair."""
    return tuple(Round(1e-3, 1e-3 / r, r, 0, True, control=control) for r in ratios)


def duel(*ratios, tiers=(), **more):
    """A duel of those rounds; `tiers` are thresholds, all of them won."""
    won = tuple(TierOutcome(t, 10, Decision.PASS, 6) for t in tiers)
    bounds = (min(ratios), max(ratios))
    return DuelOutcome("f", ratios[0], bounds, 0.99, trace(*ratios), won, 1e-3, 5e-4, 1e-5, 1e-5, 0.1, **more)


def numbers(drawn, axis):
    """What stands at the ticks of an axis: 1 is across, 2 is upright."""
    root = ElementTree.fromstring(drawn)  # noqa: S314  # our own
    (found,) = (g for g in root.iter() if g.get("id") == f"matplotlib.axis_{axis}")
    return [float(n) for n in re.findall(r"([\d.]+)×", " ".join(found.itertext()))]


@pytest.mark.parametrize("ends", SPANS)
def test_an_axis_of_speedups_has_two_numbers_at_least(ends):
    """Also where no power of ten lies between the slowest round and the fastest."""
    assert len(numbers(rounds(duel(*ends), "the baseline"), 2)) >= 2
    known = Control((ends[1],), (Decision.FAIL,), ends[1], ends[0], trace(ends[0], control=ends[1]))
    assert len(numbers(plots.control(known, "the baseline"), 2)) >= 2
    assert len(numbers(plots.tiers(duel(*ends, tiers=ends)), 1)) >= 2
    claim = Measured("c", ends[0], Standing.FASTER, ends[1], ends, ends)
    assert len(numbers(plots.claims([claim]), 1)) >= 2


def test_the_axis_says_what_was_timed_beside_the_submission():
    """In the words that it is given."""
    known = Control((0.5,), (Decision.FAIL,), 0.9, 0.4, trace(0.4, control=0.9))
    for drawn in (rounds(duel(2.0), "the baseline"), plots.control(known, "the baseline")):
        assert "the baseline" in drawn and "reference" not in drawn


@pytest.mark.parametrize(
    ("decision", "word", "colour"),
    [(Decision.PASS, "passed", GOOD), (Decision.FAIL, "missed", BAD), (Decision.UNDECIDED, "open", BAD)],
)
def test_a_tier_beside_a_known_program_is_drawn_as_it_was_decided(decision, word, colour):
    """What was won there is not shown as missed."""
    drawn = plots.control(Control((0.7,), (decision,), 1.0, 0.8, trace(0.8, 0.81, control=1.0)), "the reference")
    assert f"0.7× {word}" in drawn and colour in drawn
    assert len([w for w in ("passed", "missed", "open") if f"× {w}" in drawn]) == 1
    assert (GOOD in drawn) is (decision is Decision.PASS)


def test_rounds_of_every_process_pair_are_drawn():
    """However many pairs it took to decide; each named in the legend."""
    trace = tuple(Round(1e-3, 5e-4, 2.0 + i / 100, i % 7, True) for i in range(28))
    duel = DuelOutcome(
        "f", 2.0, (1.9, 2.2), 0.99, trace, (TierOutcome(1.0, 20, Decision.PASS, 6),), 1e-3, 5e-4, 1e-5, 1e-5, 0.1
    )
    drawn = rounds(duel, "the reference kernel")
    assert [pair for pair in range(1, 9) if f"rounds of process pair {pair}" in drawn] == list(range(1, 8))
