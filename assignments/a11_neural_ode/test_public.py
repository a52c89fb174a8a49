"""Public checks of "A spiral that a network learns": straight lines by hand, one unit, difference quotients."""

import math

import numpy as np
import pytest

from autograder.judge.compare import close, require

UNITS = 50


def straight(vx, vy):
    """Parameters with which du/dt = (vx, vy) everywhere."""
    p = np.zeros(252)
    p[250:] = vx, vy
    return p


@pytest.mark.criterion("examples")
def test_pullback_of_one_unit(submission):
    """Unit 0 alone: z = 2 x³ - y³ + 1/2 with x = 1, y = 1 is 3/2; W2 has 3 and -1 for it."""
    p = np.zeros(252)
    p[0], p[1], p[100], p[150], p[200] = 2.0, -1.0, 0.5, 3.0, -1.0
    s = math.tanh(1.5)
    by_u, by_p = submission.pullback(np.array([1.0, 2.0]), np.array([1.0, 1.0]), p)
    d = (3.0 - 2.0) * (1.0 - s * s)
    close(by_u, [6.0 * d, -3.0 * d], rtol=1e-12, what="y' df/du")
    expected = np.zeros(252)
    expected[[0, 1, 100]] = d
    expected[150], expected[200] = s, 2.0 * s
    expected[151:200], expected[201:250] = math.tanh(0.0), 0.0
    expected[250:] = 1.0, 2.0
    close(by_p, expected, rtol=1e-12, atol=1e-14, what="y' df/dp")


@pytest.mark.criterion("examples")
def test_straight_lines(submission):
    """u = u0 + v t: the loss is a sum of (u0 + v t - data)², and its derivative by v sums 2 t times the residual."""
    u0, t = np.array([[1.0, 0.0], [0.0, -1.0]]), np.array([0.5, 2.0])
    data = np.array([[[1.5, 0.0], [3.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]]])
    residual = u0[:, None] + t[None, :, None] * np.array([0.5, -0.25]) - data
    got = submission.adjoint_grad(straight(0.5, -0.25), u0, t, data, 0.3)
    close(got[250:], 2.0 * np.einsum("kie,i->e", residual, t), rtol=1e-10, what="the gradient by b2")
    close(got[:150], np.zeros(150), rtol=0.0, atol=1e-12, what="the gradient by W1 and b1, where W2 = 0")


@pytest.mark.criterion("examples")
def test_training_lowers_the_loss(submission, rng):
    """Circles: a quarter of a turn at radius 1 and less; the residual falls to a tenth of the distance travelled."""
    angle, t = rng.uniform(0.0, 2.0 * np.pi, 8), np.linspace(0.1, 1.5, 15)
    u0 = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    data = np.stack([np.cos(angle[:, None] + t), np.sin(angle[:, None] + t)], axis=2)
    p = submission.train(u0, t, data, 1)
    W1, b1, W2, b2 = p[:100].reshape(50, 2), p[100:150], p[150:250].reshape(2, 50), p[250:]
    u, wrong, still = u0, 0.0, 0.0
    for i in range(15):
        for _ in range(10):  # midpoint rule
            k = np.tanh(u**3 @ W1.T + b1) @ W2.T + b2
            u = u + 0.01 * (np.tanh((u + 0.005 * k) ** 3 @ W1.T + b1) @ W2.T + b2)
        wrong, still = wrong + np.sum((u - data[:, i]) ** 2), still + np.sum((u0 - data[:, i]) ** 2)
    require(wrong <= 0.01 * still, f"the loss is {wrong:.3g}, that of no motion at all is {still:.3g}")
