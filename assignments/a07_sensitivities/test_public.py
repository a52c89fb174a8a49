"""Public checks of "Derivatives that travel along": cases that can be worked by hand."""

import numpy as np
import pytest

from autograder.judge.compare import close, require


def program(*rows):
    """Arrays op, a, b and c of instructions."""
    op, a, b, c = (np.array(column) for column in zip(*rows, strict=True))
    return op.astype(np.int64), a.astype(np.int64), b.astype(np.int64), c.astype(float)


@pytest.mark.criterion("examples")
def test_a_product_and_a_sine(submission):
    """x0 x1 + sin x0 at (0, 3): value 0, derivatives x1 + cos x0 = 4 and x0 = 0."""
    code = program((0, 0, 0, 0.0), (0, 1, 0, 0.0), (4, 0, 1, 0.0), (6, 0, 0, 0.0), (2, 2, 3, 0.0))
    value, slope = submission.gradient(*code, np.array([0.0, 3.0]))
    close(np.array(value), np.array(0.0), rtol=0.0, what="the value")
    close(slope, np.array([4.0, 0.0]), rtol=1e-14, what="the derivatives")


@pytest.mark.criterion("examples")
def test_a_number_divided(submission):
    """6 / x at 2: value 3, derivative -3/2."""
    value, slope = submission.gradient(*program((1, 0, 0, 6.0), (0, 0, 0, 0.0), (5, 0, 1, 0.0)), np.array([2.0]))
    close(np.array([value, slope[0]]), np.array([3.0, -1.5]), rtol=1e-14, what="value and derivative")


@pytest.mark.criterion("examples")
def test_prey_alone(submission):
    """beta = gamma = delta = 0: prey grow by R = 1 + z + z²/2 + z³/6 + z⁴/24 a step, z = alpha dt; the derivative by alpha is dt R'."""
    z, dt = 0.2, 0.1
    R, slope = 1 + z + z**2 / 2 + z**3 / 6 + z**4 / 24, dt * (1 + z + z**2 / 2 + z**3 / 6)
    u, D = submission.sens(np.array([2.0, 0.0, 0.0, 0.0]), np.array([3.0, 0.0]), dt, 1)
    close(u[1], np.array([3 * R, 0.0]), rtol=1e-13, what="u after a step")
    close(D[1, :, 0], np.array([3 * slope, 0.0]), rtol=1e-13, what="the derivatives by alpha")
    require((D[0] == 0.0).all(), "at the start nothing depends on p: D[0] is 0")


@pytest.mark.criterion("examples")
def test_an_ensemble_is_many_times_sens(submission):
    """Two members, against the submission's own sens."""
    P, u0 = np.array([[1.5, 1.0, 3.0, 1.0], [1.2, 0.8, 2.5, 1.1]]), np.array([1.0, 1.5])
    u, D = submission.ensemble(P, u0, 0.05, 20)
    for i in range(2):
        path, slopes = submission.sens(P[i], u0, 0.05, 20)
        close(u[i], path[-1], rtol=1e-11, what=f"states of member {i}")
        close(D[i], slopes[-1], rtol=0.0, atol=1e-10, what=f"derivatives of member {i}")


@pytest.mark.criterion("examples")
def test_a_fit_finds_the_rates_again(submission):
    """From rates ten per cent off, to counts without any error."""
    p, u0 = np.array([1.5, 1.0, 3.0, 1.0]), np.array([1.0, 1.5])
    data, _ = submission.sens(p, u0, 0.05, 40)
    close(submission.fit(data, u0, 0.05, p * np.array([1.1, 0.9, 1.1, 0.9])), p, rtol=1e-6, what="p")
