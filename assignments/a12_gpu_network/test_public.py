"""Public checks of "A million states through a small network": one unit by hand, constants, three states at once."""

import math

import numpy as np
import pytest

from autograder.judge.compare import close

TOLERANCE = 1e-4


@pytest.mark.criterion("examples")
def test_one_unit(submission):
    """Unit 0 alone: z = 2 x³ - y³ + 1/2; W2 has 3 and -1 for it, b2 is (1/4, 0)."""
    p = np.zeros(252, np.float32)
    p[0], p[1], p[100], p[150], p[200], p[250] = 2.0, -1.0, 0.5, 3.0, -1.0, 0.25
    U = np.array([[1.0, 0.5, 0.0], [1.0, -1.0, 0.0]], np.float32)
    s = np.array([math.tanh(1.5), math.tanh(1.75), math.tanh(0.5)])
    close(submission.nn_batch(U, p), np.stack([3.0 * s + 0.25, -s]), rtol=0.0, atol=TOLERANCE, what="the rates")


@pytest.mark.criterion("examples")
def test_weights_of_zero_leave_the_second_bias(submission):
    """W1 = W2 = 0: every rate is b2."""
    p = np.zeros(252, np.float32)
    p[100:150], p[250:] = 0.7, (1.5, -2.0)
    U = np.linspace(-1.0, 1.0, 14, dtype=np.float32).reshape(2, 7)
    expected = np.repeat([[1.5], [-2.0]], 7, axis=1)
    close(submission.nn_batch(U, p), expected, rtol=0.0, atol=TOLERANCE, what="the rates")


@pytest.mark.criterion("examples")
def test_the_last_unit_counts(submission):
    """Units 0 and 49, with different weights for the two components."""
    p = np.zeros(252, np.float32)
    p[[0, 1, 98, 99]], p[[150, 199]], p[[200, 249]] = (1.0, 0.0, 0.0, 1.0), (1.0, 2.0), (3.0, 4.0)
    U = np.array([[1.0, -0.5], [0.8, 1.2]], np.float32)
    first, last = np.tanh(U.astype(np.float64) ** 3)
    expected = np.stack([first + 2.0 * last, 3.0 * first + 4.0 * last])
    close(submission.nn_batch(U, p), expected, rtol=0.0, atol=TOLERANCE, what="the rates")
