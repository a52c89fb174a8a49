"""Baseline: the discrete adjoint of the classical Runge–Kutta method in whole-array NumPy, all recordings at once.

Formulas, units and layout of p as in `neural_ode`. Every step keeps the inputs of its four stages; on the way back tanh is
computed once more, and every operator makes an array of k × 50 numbers: some fifteen passes over them for a stage.
"""

import numpy as np

H = 50


def forward(u: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return f (k, 2) and tanh (k, 50) for states (k, 2)."""
    W1, b1 = p[: 2 * H].reshape(H, 2), p[2 * H : 3 * H]
    W2, b2 = p[3 * H : 5 * H].reshape(2, H), p[5 * H :]
    s = np.tanh(u**3 @ W1.T + b1)
    return s @ W2.T + b2, s


def backward(y: np.ndarray, u: np.ndarray, s: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return y^T df/du (k, 2) for each state, and the sum of y^T df/dp (252,) over all."""
    W1, W2 = p[: 2 * H].reshape(H, 2), p[3 * H : 5 * H].reshape(2, H)
    d = y @ W2 * (1 - s**2)
    by_p = np.concatenate([(d.T @ u**3).ravel(), d.sum(axis=0), (y.T @ s).ravel(), y.sum(axis=0)])
    return d @ W1 * 3 * u**2, by_p


def pullback(y: np.ndarray, u: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return y^T df/du (2,) and y^T df/dp (252,); arguments as in the oracle."""
    y, u = y[None], u[None]
    by_u, by_p = backward(y, u, forward(u, p)[1], p)
    return by_u[0], by_p


def adjoint_grad(p: np.ndarray, u0: np.ndarray, t: np.ndarray, data: np.ndarray, dt: float) -> np.ndarray:
    """Return the gradient (252,) of the loss; arguments as in the oracle."""
    u, tape, wrong, before = u0, [], [], 0.0
    for i, time in enumerate(t):
        n = int(np.ceil((time - before) / dt - 1e-9))
        for _ in range(n):
            h = (time - before) / n
            u1 = u
            k1 = forward(u1, p)[0]
            u2 = u + h / 2 * k1
            k2 = forward(u2, p)[0]
            u3 = u + h / 2 * k2
            k3 = forward(u3, p)[0]
            u4 = u + h * k3
            k4 = forward(u4, p)[0]
            u = u + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            tape.append((i, h, u1, u2, u3, u4))
        wrong.append(2 * (u - data[:, i]))
        before = time
    gradient, adjoint, i = np.zeros(len(p)), np.zeros_like(u0), len(t)
    for at, h, u1, u2, u3, u4 in reversed(tape):
        while i > at:
            i -= 1
            adjoint = adjoint + wrong[i]
        g4, p4 = backward(h / 6 * adjoint, u4, forward(u4, p)[1], p)
        g3, p3 = backward(h / 3 * adjoint + h * g4, u3, forward(u3, p)[1], p)
        g2, p2 = backward(h / 3 * adjoint + h / 2 * g3, u2, forward(u2, p)[1], p)
        g1, p1 = backward(h / 6 * adjoint + h / 2 * g2, u1, forward(u1, p)[1], p)
        adjoint = adjoint + g1 + g2 + g3 + g4
        gradient += p1 + p2 + p3 + p4
    return gradient


def train(u0: np.ndarray, t: np.ndarray, data: np.ndarray, seed: int) -> np.ndarray:
    """Return trained parameters (252,): Adam with a falling rate; u0, t and data as in the oracle."""
    rng = np.random.default_rng(seed)
    p = np.concatenate([rng.normal(0, 1, 3 * H), rng.normal(0, 0.1, 2 * H), np.zeros(2)])
    mean, square, steps = np.zeros(len(p)), np.zeros(len(p)), 1000
    for j in range(1, steps + 1):
        gradient = adjoint_grad(p, u0, t, data, 0.1) / data.size
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        rate = 0.01 * (1 + np.cos(np.pi * j / steps))
        p = p - rate * (mean / (1 - 0.9**j)) / (np.sqrt(square / (1 - 0.999**j)) + 1e-10)
    return p
