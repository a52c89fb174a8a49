# dies by: too-slow
# Compiled elimination of five diagonals, number by number: the blocks and both ends are not used.
import numpy as np
from numba import njit
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


@njit("void(f8[::1], f8, f8, f8, f8[::1])")
def rates(y, A, B, d, out):
    m = len(y)
    for i in range(0, m, 2):
        u, v = y[i], y[i + 1]
        left, right = (y[i - 2] if i else A), (y[i + 2] if i + 2 < m else A)
        below, above = (y[i - 1] if i else B / A), (y[i + 3] if i + 2 < m else B / A)
        out[i] = A + u * u * v - (B + 1) * u + d * (left - 2 * u + right)
        out[i + 1] = B * u - u * u * v + d * (below - 2 * v + above)


@njit("void(f8[:,::1], f8[::1])")
def factor_and_solve(M, b):
    m = len(b)
    for j in range(m):
        for i in range(j + 1, min(m, j + 3)):
            factor = M[i, 2 + j - i] / M[j, 2]
            for k in range(j + 1, min(m, j + 3)):
                M[i, 2 + k - i] -= factor * M[j, 2 + k - j]
            b[i] -= factor * b[j]
    for j in range(m - 1, -1, -1):
        for k in range(j + 1, min(m, j + 3)):
            b[j] -= M[j, 2 + k - j] * b[k]
        b[j] /= M[j, 2]


@njit("void(f8[:,::1], f8[::1], f8, f8, f8)")
def matrix(M, y, B, d, g):
    m = len(y)
    for i in range(0, m, 2):
        u, v = y[i], y[i + 1]
        M[i, :] = 0.0
        M[i + 1, :] = 0.0
        M[i, 2], M[i, 3] = 1 - g * (2 * u * v - (B + 1) - 2 * d), -g * u * u
        M[i + 1, 2], M[i + 1, 1] = 1 + g * (u * u + 2 * d), -g * (B - 2 * u * v)
        M[i, 0] = M[i, 4] = M[i + 1, 0] = M[i + 1, 4] = -g * d


@njit("void(f8[::1], f8, f8, f8, f8, f8, i8)")
def march(y, A, B, d, dt, gamma, n):
    m = len(y)
    k1, k2, M = np.empty(m), np.empty(m), np.empty((m, 5))
    for _ in range(n):
        matrix(M, y, B, d, gamma * dt)
        rates(y, A, B, d, k1)
        factor_and_solve(M, k1)
        rates(y + dt * k1, A, B, d, k2)
        k2 -= 2 * k1
        matrix(M, y, B, d, gamma * dt)
        factor_and_solve(M, k2)
        for i in range(m):
            y[i] += dt * (1.5 * k1[i] + 0.5 * k2[i])


def brusselator(y, A, B, D, dt, n):
    y = np.array(y)
    march(y, A, B, D * (len(y) // 2 + 1) ** 2, dt, GAMMA, n)
    return y
