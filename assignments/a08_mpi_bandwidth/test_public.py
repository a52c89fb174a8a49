"""The examples of the handout."""

import numpy as np
import pytest

from autograder.judge.compare import close, require, same

pytestmark = pytest.mark.criterion("examples")


def test_six_sizes(submission):
    """1 to 32 bytes; positive times, the same table on both ranks."""
    first, second = submission.pingpong(2, 6)
    same(first[:, 0], 2.0 ** np.arange(6), what="bytes")
    require((first[:, 1] > 0).all(), "a time is not positive")
    close(first[:, 2], first[:, 0] / first[:, 1], rtol=1e-12, what="bytes per second")
    same(second, first, what="the table of rank 1")


def test_two_letters(submission):
    """Rank 0 holds 0, 1, ... 5, rank 1 their negatives; both receive into an array of NaN."""
    letters = np.arange(6.0).reshape(2, 3)
    first, second = submission.exchange(2, [letters, -letters], [np.full((2, 3), np.nan)] * 2)
    same(first, -letters, what="what rank 0 received")
    same(second, letters, what="what rank 1 received")


def test_a_table_that_follows_the_model(submission):
    """2 µs and 4 GB/s, without noise."""
    n = 2.0 ** np.arange(25)
    t = 2e-6 + n / 4e9
    alpha, beta = submission.fit(np.stack([n, t, n / t], axis=1))
    close(alpha, 2e-6, rtol=1e-7, what="latency, s")
    close(beta, 4e9, rtol=1e-7, what="bandwidth, bytes/s")
