"""Never leaves."""

import numpy as np
import pytest

from autograder.judge.compare import close
from reference import horner


def allowed(c, x):
    """Error bound of Horner's rule: 2k·u·Σ|c_j||x|^j (Higham, *Accuracy and Stability*, §5.1), doubled for any order."""
    return 4 * len(c) * 1.2e-16 * (np.abs(c)[:, None] * np.abs(x)[None, :] ** np.arange(len(c))[:, None]).sum(axis=0).max()


@pytest.mark.criterion("formula")
@pytest.mark.parametrize("k,n", [(1, 5), (2, 7), (9, 33), (40, 100)])
def test_random_polynomials(submission, rng, k, n):
    """Positive coefficients and points: no cancellation, so that the bound is tight."""
    c, x = rng.uniform(0.5, 1.5, k), rng.uniform(0.2, 1.2, n)
    close(submission.evaluate(c, x), horner.evaluate(c, x), rtol=0.0, atol=allowed(c, x), what="p")


@pytest.mark.criterion("edge-cases")
def test_edges(submission, rng):
    """Empty coefficients, empty points, every second point."""
    close(submission.evaluate(np.empty(0), np.ones(3)), np.zeros(3), rtol=0.0, what="p without coefficients")
    close(submission.evaluate(np.ones(3), np.empty(0)), np.empty(0), rtol=0.0, what="p at no points")
    c, x = rng.uniform(0.5, 1.5, 6), rng.uniform(0.2, 1.2, 20)[::2]
    close(submission.evaluate(c, x), horner.evaluate(c, x), rtol=0.0, atol=allowed(c, x), what="p at strided points")


@pytest.mark.criterion("speed")
def test_speed(duel):
    """A million points, 1200 coefficients: 2.4 Gflop."""

    def make(rng):
        return rng.uniform(0.5, 1.5, 1200), rng.uniform(-1.0, 1.0, 1_000_000)

    def verify(args, got, expected):
        close(got, expected, rtol=0.0, atol=5e-9, what="p")  # |p| ≤ 1800 and 2400 roundings of 1.1e-16, × 10

    duel("evaluate", make, verify)
