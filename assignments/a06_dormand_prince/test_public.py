"""Public checks of "Predators, prey, and a fifth-order step": cases that can be worked by hand."""

import numpy as np
import pytest

from autograder.judge.compare import close, require


@pytest.mark.criterion("examples")
def test_one_step_of_decay(submission):
    """u' = -u, one step of length 1: 1 - 1 + 1/2 - 1/6 + 1/24 - 1/120 + 1/600 = 221/600."""
    got = submission.dp5(lambda u, p, t: -u, np.ones(1), np.empty(0), 0.0, 1.0, 1)
    close(got, np.array([[1.0], [221 / 600]]), rtol=1e-13, what="u")


@pytest.mark.criterion("examples")
def test_a_fourth_power_is_integrated_exactly(submission):
    """u' = 5 p t⁴ depends on time alone: from 0 to 1 it gains p, in one step."""
    got = submission.dp5(lambda u, p, t: 5.0 * p * t**4, np.array([3.0, 4.0]), np.array([1.0, -2.0]), 0.0, 1.0, 1)
    close(got[1], np.array([4.0, 2.0]), rtol=1e-12, what="u at t = 1")


@pytest.mark.criterion("examples")
def test_evaluations_are_counted(submission, calls):
    """Four steps may call f 28 times."""
    submission.dp5(calls(lambda u, p, t: -u * t), np.ones(2), np.empty(0), 0.0, 0.1, 4)
    require(calls.count <= 28, f"f was called {calls.count} times in 4 steps; 7 a step are allowed")


@pytest.mark.criterion("examples")
def test_an_ensemble_is_many_times_dp5(submission):
    """Two members, against the submission's own dp5 with the equations of the notebook."""

    def equations(u, p, t):
        return np.array([u[0] * (p[0] - p[1] * u[1]), u[1] * (p[3] * u[0] - p[2])])

    u0, P = np.array([1.0, 1.5]), np.array([[1.5, 1.0, 3.0, 1.0], [1.2, 0.8, 2.5, 1.1]])
    expected = np.array([submission.dp5(equations, u0, p, 0.0, 0.05, 20)[-1] for p in P])
    close(submission.ensemble(u0, P, 0.05, 20), expected, rtol=1e-10, what="both members at t = 1")
