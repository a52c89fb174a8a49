"""Public checks of "A scan on the GPU": sums that can be done by hand."""

import numpy as np
import pytest

from autograder.judge.compare import close, same


@pytest.mark.criterion("examples")
def test_five_digits(submission):
    """3, 1, 4, 1, 5."""
    same(submission.scan(np.array([3, 1, 4, 1, 5], np.float32)), [3, 4, 8, 9, 14], what="y")


@pytest.mark.criterion("examples")
def test_ones_count(submission):
    """Two thousand ones: more than a block of threads, and every whole number is exact."""
    same(submission.scan(np.ones(2000, np.float32)), np.arange(1, 2001), what="y")


@pytest.mark.criterion("examples")
def test_random_numbers(submission, rng):
    """As many as there are in a usual block."""
    x = rng.standard_normal(256).astype(np.float32)
    close(submission.scan(x), np.cumsum(x, dtype=np.float64), rtol=0.0, atol=1e-4, what="y")
