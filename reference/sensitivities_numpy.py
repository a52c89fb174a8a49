"""Baseline: dual numbers in plain Python, and ensembles in whole-array NumPy by the augmented equations.

Formulas, units and arguments as in `sensitivities`. A member's two states and eight derivatives are ten rows of arrays of m numbers; a step
makes some hundred temporaries. With m = 16 000 a row has 128 kB and the state 1.3 MB: operands come from the second cache level and beyond.
"""

import math

import numpy as np

_ONE = {
    6: lambda v: (math.sin(v), math.cos(v)), 7: lambda v: (math.exp(v), math.exp(v)),
    8: lambda v: (math.log(v), 1 / v), 9: lambda v: (math.sqrt(v), 0.5 / math.sqrt(v)),
}  # fmt: skip


def gradient(op: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray, x: np.ndarray) -> tuple[float, np.ndarray]:
    """Return a program's result and its derivatives (k,); arguments as in the oracle."""
    v, d, seeds = [], [], np.eye(len(x))
    for what, i, j, number in zip(op.tolist(), a.tolist(), b.tolist(), c.tolist(), strict=True):
        if what == 0:
            new = float(x[i]), seeds[i]
        elif what == 1:
            new = number, np.zeros(len(x))
        elif what in _ONE:
            value, slope = _ONE[what](v[i])
            new = value, slope * d[i]
        elif what in (2, 3):
            sign = 1 if what == 2 else -1
            new = v[i] + sign * v[j], d[i] + sign * d[j]
        elif what == 4:
            new = v[i] * v[j], v[j] * d[i] + v[i] * d[j]
        else:
            new = v[i] / v[j], (d[i] - v[i] / v[j] * d[j]) / v[j]
        v.append(new[0])
        d.append(new[1])
    return v[-1], np.array(d[-1])


def rates(w: np.ndarray, P: np.ndarray) -> np.ndarray:
    """Return d/dt of x, y and their derivatives by the four parameters, ten rows (10, m)."""
    alpha, beta, gamma, delta = P
    x, y, X, Y = w[0], w[1], w[2:6], w[6:10]
    dX = (alpha - beta * y) * X - beta * x * Y
    dY = delta * y * X + (delta * x - gamma) * Y
    dX[0] += x
    dX[1] -= x * y
    dY[2] -= y
    dY[3] += x * y
    return np.concatenate([[x * (alpha - beta * y), y * (delta * x - gamma)], dX, dY])


def step(w: np.ndarray, P: np.ndarray, dt: float) -> np.ndarray:
    """Return the state (10, m) one Runge–Kutta step later."""
    k1 = rates(w, P)
    k2 = rates(w + dt / 2 * k1, P)
    k3 = rates(w + dt / 2 * k2, P)
    k4 = rates(w + dt * k3, P)
    return w + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def _start(m: int, u0: np.ndarray) -> np.ndarray:
    w = np.zeros((10, m))
    w[0], w[1] = u0
    return w


def sens(p: np.ndarray, u0: np.ndarray, dt: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return states (n + 1, 2) and derivatives (n + 1, 2, 4); arguments as in the oracle."""
    w = [_start(1, u0)]
    for _ in range(n):
        w.append(step(w[-1], p[:, None], dt))
    rows = np.array(w)[:, :, 0]
    return rows[:, :2], rows[:, 2:].reshape(-1, 2, 4)


def ensemble(P: np.ndarray, u0: np.ndarray, dt: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return states (m, 2) and derivatives (m, 2, 4) after n steps; arguments as in the oracle."""
    w = _start(len(P), u0)
    for _ in range(n):
        w = step(w, P.T, dt)
    return w[:2].T.copy(), w[2:].T.reshape(-1, 2, 4).copy()


def fit(data: np.ndarray, u0: np.ndarray, dt: float, p0: np.ndarray) -> np.ndarray:
    """Return the parameters (4,) of the least sum of squares near p0; arguments as in the oracle."""
    p, damping, n = p0, 1e-3, len(data) - 1
    u, D = sens(p, u0, dt, n)
    for _ in range(100):
        r, J = (u - data).ravel(), D.reshape(-1, 4)
        A = J.T @ J
        move = np.linalg.solve(A + damping * np.diag(np.diag(A)), -J.T @ r)
        there = sens(p + move, u0, dt, n)
        if np.sum((there[0] - data) ** 2) <= r @ r:
            p, (u, D), damping = p + move, there, damping / 10
        else:
            damping *= 10
        if np.abs(move).max() <= 1e-13 * np.abs(p).max():
            break
    return p
