"""Ships with the assignment."""

import numpy as np
import pytest

from autograder.judge.compare import close


@pytest.mark.criterion("examples")
def test_one_plus_two_x_plus_three_x_squared(submission):
    """At x = 2 it is 17."""
    close(submission.evaluate(np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.0])), np.array([17.0, 1.0]), rtol=1e-15, what="p")
