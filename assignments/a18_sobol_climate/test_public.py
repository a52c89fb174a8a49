"""Public checks of "Which unknown warms the climate most?": cases that can be worked by hand."""

import numpy as np
import pytest

from autograder.judge.compare import close, require


@pytest.mark.criterion("examples")
def test_two_steps_by_hand(submission):
    """With F = 7, C = E = 1 and no feedback the first year warms by 0.1 · 7 (0 + 1 + … + 9) / 700 K."""
    p = np.array([[7.0, 0.0, 0.0, 1.0, 1.0, 0.0]])
    close(submission.warming(p, 1), np.array([0.045]), rtol=1e-12, what="T after a year")


@pytest.mark.criterion("examples")
def test_an_output_that_is_one_of_the_inputs(submission):
    """f(x) = x1 with A = (0, .5), (.5, 0) and B = (1, 0), (.5, 1): all of the variance is the first input's."""
    A, B = np.array([[0.0, 0.5], [0.5, 0.0]]), np.array([[1.0, 0.0], [0.5, 1.0]])
    S, ST = submission.sobol(lambda x: float(x[0]), A, B)
    close(S, np.array([2.0, 0.0]), rtol=1e-12, what="S")  # so few points: no estimate is bound to stay below 1
    close(ST, np.array([2.0, 0.0]), rtol=1e-12, what="ST")


@pytest.mark.criterion("examples")
def test_runs_are_counted(submission, calls, rng):
    """Five points and three inputs: 25 runs."""
    submission.sobol(calls(lambda x: float(x.sum())), rng.random((5, 3)), rng.random((5, 3)))
    require(calls.count <= 25, f"f was called {calls.count} times; n (k + 2) = 25 suffice")


@pytest.mark.criterion("examples")
def test_the_climate_is_the_model_of_the_indices(submission, rng):
    """`climate_indices` is `sobol` of `warming`, with the bounds of the notebook."""
    low, high = np.array([3.3, 0.9, 0.0, 6.0, 60.0, 0.5]), np.array([4.3, 1.7, 0.04, 10.0, 180.0, 1.0])
    A, B = rng.random((3, 6)), rng.random((3, 6))
    points = [A, B, *(np.where(np.arange(6) == i, B, A) for i in range(6))]
    warm = {tuple(x): float(T) for rows in points for x, T in zip(rows, submission.warming(low + (high - low) * rows, 30), strict=True)}
    expected = submission.sobol(lambda x: warm[tuple(x)], A, B)
    for got, wanted, what in zip(submission.climate_indices(A, B, 30), expected, ("S", "ST"), strict=True):
        close(got, wanted, rtol=0.0, atol=1e-7, what=what)
