"""Trained by Levenberg and Marquardt's method on the residuals; the loss and its gradient through the same Jacobian, in blocks."""

import numpy as np


def pieces(theta, x, y):
    a, c, b, w = theta[:-1].reshape(4, -1)
    s = np.tanh(np.outer(x, a) + np.outer(y, c) + b)
    s1 = 1 - s * s
    return a, c, w, s, s1, -2 * s * s1, s1 * (6 * s * s - 2)


def nn_derivative(theta, x, y, dx, dy):
    a, c, w, s, s1, s2, _ = pieces(theta, x, y)
    found = (s, s1, s2)[dx + dy] @ (w * a**dx * c**dy)
    return found + theta[-1] if dx == dy == 0 else found


def potential(theta, x, y):
    return x * (1 - x) * y * (1 - y) * nn_derivative(theta, x, y, 0, 0)


def residual(theta, x, y, f):
    """Residuals (n,) and their Jacobian (n, 4 H + 1)."""
    a, c, w, s, s1, s2, s3 = pieces(theta, x, y)
    X, Y = x * (1 - x), y * (1 - y)
    B, Bx, By, BB = (v[:, None] for v in (X * Y, (1 - 2 * x) * Y, X * (1 - 2 * y), -2 * (X + Y)))
    k = a * a + c * c
    unit = B * k * s2 + 2 * (Bx * a + By * c) * s1 + BB * s  # of w = 1
    slope = B * k * s3 + 2 * (Bx * a + By * c) * s2 + BB * s1  # the same, differentiated by z
    by_a = w * (slope * x[:, None] + 2 * B * a * s2 + 2 * Bx * s1)
    by_c = w * (slope * y[:, None] + 2 * B * c * s2 + 2 * By * s1)
    r = unit @ w + BB[:, 0] * theta[-1] + f
    return r, np.concatenate([by_a, by_c, w * slope, unit, BB], axis=1)


def loss_gradient(theta, x, y, f):
    loss, gradient = 0.0, np.zeros(len(theta))
    for k in range(0, len(x), 1024):
        r, J = residual(theta, x[k : k + 1024], y[k : k + 1024], f[k : k + 1024])
        loss += r @ r
        gradient += 2 * (r @ J)
    return loss / len(x), gradient / len(x)


def train(x, y, f, seed):
    rng = np.random.default_rng(seed)
    size = np.sqrt(np.mean(f * f)) or 1.0
    a, c = rng.uniform(-4, 4, (2, 24))
    px, py = rng.uniform(0, 1, (2, 24))
    theta = np.concatenate([a, c, -(a * px + c * py), 0.1 * rng.standard_normal(24), [0.0]])
    r, J = residual(theta, x, y, f / size)
    damping = 1e-2
    for _ in range(200):
        normal = J.T @ J
        step = np.linalg.solve(normal + damping * (np.diag(np.diag(normal)) + 1e-9 * np.eye(97)), -J.T @ r)
        tried, Jt = residual(theta + step, x, y, f / size)
        if tried @ tried < r @ r:
            theta, r, J, damping = theta + step, tried, Jt, max(damping / 3, 1e-7)
        else:
            damping = min(damping * 4, 1e6)
    theta[72:] *= size
    return theta
