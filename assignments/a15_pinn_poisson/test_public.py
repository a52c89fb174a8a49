"""Public checks of "A network that solves Poisson's equation": one hidden unit, and a charge whose potential is known."""

import math

import numpy as np
import pytest

from autograder.judge.compare import close, require

# a, c, b, w, d of one unit
ONE = np.array([1.0, -2.0, 0.5, 3.0, 0.25])


@pytest.mark.criterion("examples")
def test_derivatives_of_one_unit(submission):
    """At the point (1/2, 1/2) z = 0: tanh' = 1, tanh'' = 0; at (1, 1/4) z = 1."""
    x, y = np.array([0.5, 1.0]), np.array([0.5, 0.25])
    s = math.tanh(1.0)
    close(submission.nn_derivative(ONE, x, y, 0, 0), [0.25, 0.25 + 3.0 * s], rtol=1e-13, what="N")
    close(submission.nn_derivative(ONE, x, y, 1, 0), [3.0, 3.0 * (1.0 - s * s)], rtol=1e-13, what="N_x")
    # w a c = -6, times tanh'' = -2 s (1 - s²)
    expected = [0.0, 12.0 * s * (1.0 - s * s)]
    close(submission.nn_derivative(ONE, x, y, 1, 1), expected, rtol=1e-13, atol=1e-13, what="N_xy")


@pytest.mark.criterion("examples")
def test_the_rim_is_grounded(submission):
    """The four corners and a point of every side."""
    x = np.array([0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.3, 0.7])
    y = np.array([0.0, 1.0, 0.0, 1.0, 0.4, 0.6, 0.0, 1.0])
    close(submission.potential(ONE, x, y), np.zeros(8), rtol=0.0, what="u on the rim")


@pytest.mark.criterion("examples")
def test_the_gradient_is_that_of_the_loss(submission):
    """Central differences, for every parameter of one unit."""
    x, y, f = np.array([0.2, 0.5, 0.9]), np.array([0.7, 0.1, 0.4]), np.array([1.0, -2.0, 0.5])
    gradient = submission.loss_gradient(ONE, x, y, f)[1]
    h = 1e-5
    for j in range(5):
        e = h * np.eye(5)[j]
        up, down = (submission.loss_gradient(ONE + sign * e, x, y, f)[0] for sign in (1, -1))
        close(gradient[j], (up - down) / (2 * h), rtol=1e-6, atol=1e-6, what=f"gradient by parameter {j}")


@pytest.mark.criterion("examples")
def test_training_lowers_the_loss(submission, rng):
    """One charged mode; the loss falls to a hundredth of that of the empty box."""
    x, y = rng.uniform(0.0, 1.0, (2, 500))
    f = 2.0 * np.pi**2 * np.sin(np.pi * x) * np.sin(np.pi * y)
    loss = submission.loss_gradient(submission.train(x, y, f, 1), x, y, f)[0]
    require(loss <= 0.01 * np.mean(f**2), f"the loss is {loss:.3g}, that of u = 0 is {np.mean(f**2):.3g}")
