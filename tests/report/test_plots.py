"""Plots of a duel: nothing that was measured is left out."""

from autograder.domain.measurement import Decision, DuelOutcome, Round, TierOutcome
from autograder.report.plots import rounds


def test_rounds_of_every_process_pair_are_drawn():
    """However many pairs it took to decide; each named in the legend."""
    trace = tuple(Round(1e-3, 5e-4, 2.0 + i / 100, i % 7, True) for i in range(28))
    duel = DuelOutcome(
        "f", 2.0, (1.9, 2.2), 0.99, trace, (TierOutcome(1.0, 20, Decision.PASS, 6),), 1e-3, 5e-4, 1e-5, 1e-5, 0.1
    )
    drawn = rounds(duel)
    assert [pair for pair in range(1, 9) if f"rounds of process pair {pair}" in drawn] == list(range(1, 8))
