"""LAPACK: dense matrices for few unknowns, a band factorised once a step for the reactor; Robertson's three by Cramer's rule."""

import numpy as np
from scipy.linalg.lapack import dgbtrf, dgbtrs

G = 1 - np.sqrt(0.5)


def differences(y, f, rhs):
    m, bands = len(y), np.zeros((5, len(y)))
    h = np.maximum(1.0, np.abs(y)) * 2.0**-26
    for colour in range(min(5, m)):
        columns = np.arange(colour, m, 5)
        moved = y.copy()
        moved[columns] += h[columns]
        change = np.array(rhs(moved), dtype=float) - f
        for k in range(5):
            inside = columns[(columns + k - 2 >= 0) & (columns + k - 2 < m)]
            bands[k, inside] = change[inside + k - 2] / h[inside]
    return bands


def jacobian(y, rhs):
    y = np.array(y, dtype=float)
    return differences(y, np.array(rhs(y.copy()), dtype=float), rhs)


def step(y, dt, n, rhs):
    path = np.empty((n + 1, len(y)))
    path[0] = y
    m = len(y)
    for s in range(n):
        now = path[s].copy()
        f = np.array(rhs(now.copy()), dtype=float)
        bands = differences(now, f, rhs)
        J = np.zeros((m, m))
        for k in range(5):
            for j in range(max(0, 2 - k), min(m, m + 2 - k)):
                J[j + k - 2, j] = bands[k, j]
        M = np.eye(m) - G * dt * J
        k1 = np.linalg.solve(M, f)
        k2 = np.linalg.solve(M, np.array(rhs(now + dt * k1), dtype=float) - 2 * k1)
        path[s + 1] = now + dt * (1.5 * k1 + 0.5 * k2)
    return path


def robertson(t):
    out = np.empty((len(t), 3))
    out[:1] = [1.0, 0.0, 0.0]

    def gain(y):  # of the first and the third; the second loses what they gain
        return np.array([1e4 * y[1] * y[2] - 0.04 * y[0], 3e7 * y[1] ** 2])

    for i in range(1, len(t)):
        y, dt = out[i - 1], t[i] - t[i - 1]
        g, a, d, burn = G * dt, 0.04 + 1e4 * y[1], 1e4 * (y[2] - y[1]), 6e7 * y[1]
        determinant = 1 + g * (a + d + burn) + g * a * g * burn

        def solve(r1, r3, g=g, a=a, d=d, burn=burn, determinant=determinant):
            first = (r1 + g * (burn * r1 - d * r3)) / determinant
            second = -(r1 + r3 + g * a * r3) / determinant
            return np.array([first, second, -first - second])

        k1 = solve(*gain(y))
        k2 = solve(*(gain(y + dt * k1) - 2 * k1[::2]))
        out[i] = y + dt * (1.5 * k1 + 0.5 * k2)
    return out


def brusselator(y, A, B, D, dt, n):
    y = np.array(y, dtype=float)
    m = len(y)
    N = m // 2
    beside, g = D * (N + 1) ** 2, G * dt
    padded = np.tile([A, B / A], N + 2).astype(float)
    bands = np.zeros((7, m), order="F")
    rate = np.empty(m)

    def f(y):
        padded[2:-2] = y
        np.add(padded[:-4], padded[4:], out=rate)
        rate[:] = beside * (rate - 2 * y)
        u, w = y[::2], y[::2] ** 2 * y[1::2]
        rate[::2] += A + w - (B + 1) * u
        rate[1::2] += B * u - w
        return rate

    for _ in range(n):
        u, v = y[::2], y[1::2]
        uu, uv = u * u, 2 * u * v
        bands[:] = 0
        bands[2, 2:] = bands[6, :-2] = -g * beside
        bands[4] = 1 + 2 * g * beside
        bands[4, ::2] -= g * (uv - (B + 1))
        bands[4, 1::2] += g * uu
        bands[3, 1::2] = -g * uu
        bands[5, ::2] = -g * (B - uv)
        lu, pivots, _ = dgbtrf(bands, 2, 2)
        k1, _ = dgbtrs(lu, 2, 2, f(y), pivots)
        k2, _ = dgbtrs(lu, 2, 2, f(y + dt * k1) - 2 * k1, pivots)
        y = y + dt * (1.5 * k1 + 0.5 * k2)
    return y
