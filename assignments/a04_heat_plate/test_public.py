"""Public checks of "Heat in a plate": small cases that can be worked by hand."""

import numpy as np
import pytest

from autograder.judge.compare import close, same

# alpha dt / dx² = 1.6e-5 · 5 / 0.02² = 0.2
STEEL = {"alpha": 1.6e-5, "dx": 0.02, "dt": 5.0}


@pytest.mark.criterion("examples")
def test_a_hot_point_warms_its_four_neighbours(submission):
    """After one step with r = 0.2, a point 100 K above the rest keeps 20 K and gives 20 K to each neighbour."""
    T = np.full((5, 5), 300.0)
    T[2, 2] = 400.0
    expected = np.full((5, 5), 300.0)
    for i, j in [(2, 2), (1, 2), (3, 2), (2, 1), (2, 3)]:
        expected[i, j] = 320.0
    close(submission.heat_step_n(T, n=1, **STEEL), expected, rtol=1e-13, what="T after one step")


@pytest.mark.criterion("examples")
def test_a_hot_rim_heats_the_inside_only(submission):
    """Two steps of a 3 × 4 plate with one hot side, worked by hand."""
    T = np.array([[100.0, 0.0, 0.0, 0.0], [100.0, 0.0, 0.0, 0.0], [100.0, 0.0, 0.0, 0.0]])
    expected = T.copy()
    # Step 1: 0.2 · 100 = 20. Step 2: 20 + 0.2 (100 - 4 · 20) = 24 and 0 + 0.2 · 20 = 4.
    expected[1, 1], expected[1, 2] = 24.0, 4.0
    close(submission.heat_step_n(T, n=2, **STEEL), expected, rtol=1e-13, atol=1e-12, what="T after two steps")


@pytest.mark.criterion("examples")
def test_no_steps_change_nothing(submission, rng):
    """n = 0 returns the plate itself."""
    T = rng.uniform(250.0, 400.0, (6, 7))
    same(submission.heat_step_n(T, n=0, **STEEL), T, what="T after no steps")
