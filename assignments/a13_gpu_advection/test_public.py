"""Public checks of "A tracer in the wind": small cases that can be worked by hand."""

import numpy as np
import pytest

from autograder.judge.compare import close, same

# A cell of 100 km, steps of 1000 s: 20 m/s carry 0.2 of a cell, 10⁶ m²/s mix 0.1 of it into each neighbour.
GRID = {"dx": 1e5, "dt": 1000.0}


@pytest.mark.criterion("examples")
def test_a_puff_spreads_downwind(submission):
    """Shares of one step: 0.3 east, 0.1 west, 0.1 up, 0.1 down, 0.4 stay."""
    C = np.zeros((1, 5, 6), np.float32)
    C[0, 2, 3] = 100.0
    expected = np.zeros((1, 5, 6))
    expected[0, 2, 2:5] = 10.0, 40.0, 30.0
    expected[0, [1, 3], 3] = 10.0
    close(submission.adv_diff(C, 20.0, 0.0, 1e6, n=1, **GRID), expected, rtol=0.0, atol=1e-4, what="C after one step")


@pytest.mark.criterion("examples")
def test_a_puff_at_the_wall_and_the_seam(submission):
    """In the top row and the last column: nothing leaves upwards, the east is column 0."""
    C = np.zeros((2, 3, 4), np.float32)
    C[1, 2, 3] = 100.0
    expected = np.zeros((2, 3, 4))
    expected[1, 2] = 30.0, 0.0, 10.0, 50.0
    expected[1, 1, 3] = 10.0
    close(submission.adv_diff(C, 20.0, 0.0, 1e6, n=1, **GRID), expected, rtol=0.0, atol=1e-4, what="C after one step")


@pytest.mark.criterion("examples")
def test_no_steps_change_nothing(submission, rng):
    """n = 0 returns the field itself."""
    C = rng.uniform(0.0, 1.0, (2, 6, 7)).astype(np.float32)
    same(submission.adv_diff(C, 20.0, -5.0, 1e6, n=0, **GRID), C, what="C after no steps")
