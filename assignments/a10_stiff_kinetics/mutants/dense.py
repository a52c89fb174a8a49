# dies by: timed-out
# The exact Jacobian with all its zeros in a dense matrix: right, and never done.
import numpy as np
from scipy.linalg import solve_banded

GAMMA = 1 - np.sqrt(0.5)


def differences(y, base, rhs):
    m = len(y)
    h = 2.0**-26 * np.maximum(1.0, np.abs(y))
    bands = np.zeros((5, m))
    for colour in range(min(5, m)):
        mine = np.arange(m) % 5 == colour
        change = rhs(y + h * mine) - base
        for j in range(colour, m, 5):
            first, end = max(0, j - 2), min(m, j + 3)
            bands[2 + first - j : 2 + end - j, j] = change[first:end] / h[j]
    return bands


def jacobian(y, rhs):
    return differences(y, rhs(y), rhs)


def banded(matrix, b):
    width = min(2, len(b) - 1)
    return solve_banded((width, width), matrix[2 - width : 3 + width], b)


def step(y, dt, n, rhs):
    rows = np.empty((n + 1, len(y)))
    rows[0] = y
    for i in range(n):
        base = rhs(rows[i])
        matrix = -GAMMA * dt * differences(rows[i], base, rhs)
        matrix[2] += 1.0
        k1 = banded(matrix, base)
        k2 = banded(matrix, rhs(rows[i] + dt * k1) - 2 * k1)
        rows[i + 1] = rows[i] + dt * (1.5 * k1 + 0.5 * k2)
    return rows


def robertson(t):
    rows = np.zeros((len(t), 3))
    rows[:1, 0] = 1.0
    for i in range(len(t) - 1):
        y, dt = rows[i], t[i + 1] - t[i]
        J = [[-0.04, 1e4 * y[2], 1e4 * y[1]], [0.04, -1e4 * y[2] - 6e7 * y[1], -1e4 * y[1]], [0.0, 6e7 * y[1], 0.0]]
        M = np.eye(3) - GAMMA * dt * np.array(J)
        k1 = np.linalg.solve(M, reaction(y))
        k2 = np.linalg.solve(M, reaction(y + dt * k1) - 2 * k1)
        rows[i + 1] = y + dt * (1.5 * k1 + 0.5 * k2)
    return rows


def reaction(y):
    slow, back, fast = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]
    return np.array([back - slow, slow - back - fast, fast])


def rates(y, A, B, d):
    u, v = np.concatenate([[A], y[::2], [A]]), np.concatenate([[B / A], y[1::2], [B / A]])
    out = np.empty_like(y)
    w = u[1:-1] ** 2 * v[1:-1]
    out[::2] = A + w - (B + 1) * u[1:-1] + d * (u[:-2] - 2 * u[1:-1] + u[2:])
    out[1::2] = B * u[1:-1] - w + d * (v[:-2] - 2 * v[1:-1] + v[2:])
    return out


def brusselator(y, A, B, D, dt, n):
    y, d = np.array(y), D * (len(y) // 2 + 1) ** 2
    M, g = np.zeros((len(y), len(y))), GAMMA * dt
    i = np.arange(0, len(y), 2)
    off = np.arange(len(y) - 2)
    M[off, off + 2] = M[off + 2, off] = -g * d
    for _ in range(n):
        u, v = y[::2], y[1::2]
        M[i, i] = 1 - g * (2 * u * v - (B + 1) - 2 * d)
        M[i, i + 1] = -g * u * u
        M[i + 1, i] = -g * (B - 2 * u * v)
        M[i + 1, i + 1] = 1 + g * (u * u + 2 * d)
        k1 = np.linalg.solve(M, rates(y, A, B, d))
        k2 = np.linalg.solve(M, rates(y + dt * k1, A, B, d) - 2 * k1)
        y += dt * (1.5 * k1 + 0.5 * k2)
    return y
