"""Baseline: ROS2 with a dense Jacobian by differences for small systems, and for the reactor LAPACK's banded solver.

Formula and arguments as in `brusselator`. `step` makes m + 1 evaluations for a Jacobian and factorises a dense matrix for each of the two
stages: 2 m^3 / 3 flops, for the 800 entries of the timed reactor 0.7 Gflop a step, where 47 kflop are needed. That would not end in
time; so the reactor keeps five diagonals, exact ones, and hands them to a general banded solver, once for each stage: arrays are made
anew, rows are searched for pivots, and every call goes through Python.
"""

from collections.abc import Callable

import numpy as np
from scipy.linalg import solve_banded

GAMMA = 1.0 - 1.0 / np.sqrt(2.0)


def dense(y: np.ndarray, rhs: Callable) -> np.ndarray:
    """Return the Jacobian (m, m) by forward differences."""
    base, h = rhs(y), 2.0**-26 * np.maximum(1.0, np.abs(y))
    J = np.empty((len(y), len(y)))
    for j in range(len(y)):
        moved = y.copy()
        moved[j] += h[j]
        J[:, j] = (rhs(moved) - base) / h[j]
    return J


def ros2(y: np.ndarray, dt: float, rhs: Callable, J: np.ndarray) -> np.ndarray:
    """Return the state (m,) after one step."""
    M = np.eye(len(y)) - GAMMA * dt * J
    k1 = np.linalg.solve(M, rhs(y))
    k2 = np.linalg.solve(M, rhs(y + dt * k1) - 2 * k1)
    return y + dt * (1.5 * k1 + 0.5 * k2)


def jacobian(y: np.ndarray, rhs: Callable) -> np.ndarray:
    """Return the five diagonals (5, m) of the Jacobian; arguments as in the oracle."""
    m, J = len(y), dense(y, rhs)
    bands = np.zeros((5, m))
    for shift in range(-2, 3):
        for j in range(max(0, -shift), min(m, m - shift)):
            bands[2 + shift, j] = J[j + shift, j]
    return bands


def step(y: np.ndarray, dt: float, n: int, rhs: Callable) -> np.ndarray:
    """Return the states (n + 1, m) of n steps; arguments as in the oracle."""
    rows = [np.array(y)]
    for _ in range(n):
        rows.append(ros2(rows[-1], dt, rhs, dense(rows[-1], rhs)))
    return np.array(rows)


def robertson(t: np.ndarray) -> np.ndarray:
    """Return the mass fractions (k, 3) at the times t; arguments as in the oracle."""

    def rates(y):
        slow, back, fast = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
        return np.array([back - slow, slow - back - fast, fast])

    rows = np.zeros((len(t), 3))
    rows[:1, 0] = 1.0
    for i in range(len(t) - 1):
        _, y2, y3 = rows[i]
        J = np.array([[-0.04, 1e4 * y3, 1e4 * y2], [0.04, -1e4 * y3 - 6e7 * y2, -1e4 * y2], [0, 6e7 * y2, 0]])
        rows[i + 1] = ros2(rows[i], t[i + 1] - t[i], rates, J)
    return rows


def brusselator(y: np.ndarray, A: float, B: float, D: float, dt: float, n: int) -> np.ndarray:
    """Return the state (2N,) after n steps of the Brusselator; arguments as in the oracle."""
    strength = D * (len(y) // 2 + 1) ** 2
    y, g = np.array(y), GAMMA * dt

    def rates(y):
        u, v = np.concatenate([[A], y[::2], [A]]), np.concatenate([[B / A], y[1::2], [B / A]])
        out = np.empty(len(y))
        reaction = u[1:-1] ** 2 * v[1:-1]
        out[::2] = A + reaction - (B + 1) * u[1:-1] + strength * (u[:-2] - 2 * u[1:-1] + u[2:])
        out[1::2] = B * u[1:-1] - reaction + strength * (v[:-2] - 2 * v[1:-1] + v[2:])
        return out

    M = np.zeros((5, len(y)))  # diagonals of 1 - gamma dt J, from the second above to the second below
    M[0, 2:] = M[4, :-2] = -g * strength
    width = min(2, len(y) - 1)
    for _ in range(n):
        u, v = y[::2], y[1::2]
        M[1, 1::2], M[3, ::2] = -g * u**2, -g * (B - 2 * u * v)
        M[2, ::2], M[2, 1::2] = 1 - g * (2 * u * v - (B + 1) - 2 * strength), 1 + g * (u**2 + 2 * strength)
        bands = M[2 - width : 3 + width]
        k1 = solve_banded((width, width), bands, rates(y))
        k2 = solve_banded((width, width), bands, rates(y + dt * k1) - 2 * k1)
        y = y + dt * (1.5 * k1 + 0.5 * k2)
    return y
