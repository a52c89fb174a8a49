"""The examples of the handout: what anybody can work out by hand."""

import numpy as np
import pytest

from autograder.judge.compare import close, require

pytestmark = pytest.mark.criterion("examples")


def test_three_iterates_by_hand(submission):
    """From x0 = 1/4 and r = 2: 3/8, 15/32, 255/512; the warm-up skips the first."""
    got = submission.calc_attractor(np.full(3, np.nan), 2.0, 0.25, 1)
    close(got, np.array([0.375, 0.46875, 0.498046875]), rtol=1e-12, what="out")


def test_the_warm_up_may_be_zero(submission):
    """Without a warm-up the first sample is x0 itself."""
    got = submission.calc_attractor(np.full(1, np.nan), 3.7, 0.3, 0)
    close(got, np.array([0.3]), rtol=1e-12, what="out")


def test_a_population_settles(submission):
    """At r = 2.5 the attractor is the fixed point 1 - 1/r."""
    got = submission.calc_attractor(np.full(150, np.nan), 2.5)
    close(got, np.full(150, 0.6), rtol=1e-12, what="out")


def test_a_two_cycle(submission):
    """At r = 3.2 the attractor is a cycle of two values, the roots of r²x² - r(r+1)x + r + 1 = 0."""
    r = 3.2
    pair = (r + 1 + np.array([-1, 1]) * np.sqrt((r + 1) * (r - 3))) / (2 * r)
    row = submission.diagram(np.array([r]))[0]
    close(np.sort(row[:2]), pair, rtol=1e-9, what="the two values")
    close(row[2:], row[:-2], rtol=1e-9, what="each value, two steps later")


def test_a_small_diagram(submission, rng):
    """A diagram has a row of 150 per growth rate, and each sample follows from the one before."""
    r = rng.uniform(2.9, 4.0, 20)
    x = submission.diagram(r)
    require(x.shape == (20, 150), f"diagram: expected shape (20, 150), got {x.shape}")
    close(x[:, 1:], r[:, None] * x[:, :-1] * (1 - x[:, :-1]), rtol=0, atol=1e-14, what="next sample")
