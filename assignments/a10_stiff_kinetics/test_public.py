"""Public checks of "Stiff chemistry, five diagonals": cases that can be worked by hand."""

import numpy as np
import pytest

from autograder.judge.compare import close, require

GAMMA = 1.0 - 0.5**0.5


@pytest.mark.criterion("examples")
def test_the_diagonals_of_a_known_matrix(submission, calls):
    """rhs(y) = M y with five diagonals; entry (i, j) belongs in [2 + i - j, j]."""
    m = 7
    bands = np.zeros((5, m))
    M = np.zeros((m, m))
    for i in range(m):
        for j in range(max(0, i - 2), min(m, i + 3)):
            M[i, j] = bands[2 + i - j, j] = 10 * (i + 1) + j
    got = submission.jacobian(np.linspace(0.0, 1.0, m), calls(lambda y: M @ y))
    close(got, bands, rtol=0.0, atol=1e-3, what="diagonals")
    require(calls.count <= 7, f"rhs was called {calls.count} times for a Jacobian; 7 are allowed")


@pytest.mark.criterion("examples")
def test_steps_of_decay(submission, calls):
    """y' = -y, dt = 1: a step multiplies by R(-1) = 2 gamma / (1 + gamma)²."""
    got = submission.step(np.ones(1), 1.0, 2, calls(lambda y: -y))
    close(got[:, 0], (2.0 * GAMMA / (1.0 + GAMMA) ** 2) ** np.arange(3), rtol=1e-6, what="powers of R(-1)")
    require(calls.count <= 14, f"rhs was called {calls.count} times in 2 steps; 7 a step are allowed")


@pytest.mark.criterion("examples")
def test_the_reaction_starts(submission):
    """Nothing but y1 at first: in a microsecond 0.04 · 1e-6 of it becomes y2."""
    got = submission.robertson(np.array([0.0, 1e-6]))
    close(got[0], np.array([1.0, 0.0, 0.0]), rtol=0.0, what="the first row")
    close(got[1].sum(), 1.0, rtol=1e-12, what="the sum of the mass fractions")
    close(got[1, 1], 4e-8, rtol=1e-4, what="y2 after a microsecond")


@pytest.mark.criterion("examples")
def test_the_reactor_is_many_times_step(submission):
    """Three cells, against the submission's own step with the equations of the notebook."""
    A, B, D, N = 1.0, 3.0, 0.02, 3

    def rates(y):
        u, v = np.concatenate([[A], y[::2], [A]]), np.concatenate([[B / A], y[1::2], [B / A]])
        w = u[1:-1] ** 2 * v[1:-1]
        du = A + w - (B + 1) * u[1:-1] + D * (N + 1) ** 2 * (u[:-2] - 2 * u[1:-1] + u[2:])
        dv = B * u[1:-1] - w + D * (N + 1) ** 2 * (v[:-2] - 2 * v[1:-1] + v[2:])
        return np.stack([du, dv], axis=1).ravel()

    y = np.array([1.2, 2.5, 0.9, 3.3, 1.5, 2.8])
    expected = submission.step(y, 0.02, 10, rates)[-1]
    close(submission.brusselator(y, A, B, D, 0.02, 10), expected, rtol=0.0, atol=1e-6, what="ten steps of three cells")
    rest = np.tile([A, B / A], N)
    close(submission.brusselator(rest, A, B, D, 0.02, 10), rest, rtol=1e-12, what="the state at rest")
