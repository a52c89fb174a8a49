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


def swap(submission, first, second):
    """One exchange into arrays of NaN; the letters hold no NaN."""
    zero, one = submission.exchange(2, [first, second], [np.full(first.shape, np.nan)] * 2)
    for rank, received in enumerate((zero, one)):
        filled = not np.isnan(received).any()
        require(filled, f"rank {rank}: `received` has to be filled, completely; what `exchange` returns is not read")
    same(zero, second, what="what rank 0 received")
    same(one, first, what="what rank 1 received")


def test_two_letters(submission):
    """Rank 0 holds 1, 2, ... 6, rank 1 their negatives; both receive into an array of NaN."""
    letters = np.arange(1.0, 7.0).reshape(2, 3)
    swap(submission, letters, -letters)


def test_four_long_letters(submission):
    """1 MiB a rank, of which MPI keeps no copy: where both ranks send first, both wait."""
    letters = np.arange(1.0, 131073.0).reshape(4, 32768)
    swap(submission, letters, -letters)


def test_a_table_that_follows_the_model(submission):
    """2 µs and 4 GB/s, without noise."""
    n = 2.0 ** np.arange(25)
    t = 2e-6 + n / 4e9
    alpha, beta = submission.fit(np.stack([n, t, n / t], axis=1))
    close(alpha, 2e-6, rtol=1e-7, what="latency, s")
    close(beta, 4e9, rtol=1e-7, what="bandwidth, bytes/s")
