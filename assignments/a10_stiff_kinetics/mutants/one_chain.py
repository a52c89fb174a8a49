# dies by: too-slow
# 2x2 blocks, factorised once a step, compiled, in place: one chain from the left end to the right, and back.
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


@njit("void(f8[::1], f8[::1], f8, f8, f8, f8, f8, i8)", fastmath=True, error_model="numpy")
def march(u, v, A, B, d, dt, gamma, n):
    N = len(u) - 2
    g = gamma * dt
    s = g * d
    G = np.empty((N + 2, 4))
    R, S, K, H = np.empty(N + 2), np.empty(N + 2), np.zeros(N + 2), np.zeros(N + 2)
    x, z = u.copy(), v.copy()
    for _ in range(n):
        a = b = c = e = p = q = 0.0
        for i in range(1, N + 1):
            w, uu, uv = u[i] * u[i] * v[i], g * u[i] * u[i], 2 * g * u[i] * v[i]
            ma, mb = 1 + g * (B + 1) + 2 * s - uv - s * s * a, -uu - s * s * b
            mc, me = uv - g * B - s * s * c, 1 + uu + 2 * s - s * s * e
            r = 1 / (ma * me - mb * mc)
            a, b, c, e = r * me, -r * mb, -r * mc, r * ma
            f = A + w - (B + 1) * u[i] + d * (u[i - 1] - 2 * u[i] + u[i + 1]) + s * p
            h = B * u[i] - w + d * (v[i - 1] - 2 * v[i] + v[i + 1]) + s * q
            p, q = a * f + b * h, c * f + e * h
            G[i, 0], G[i, 1], G[i, 2], G[i, 3] = a, b, c, e
            R[i], S[i] = p, q
        p = q = 0.0
        for i in range(N, 0, -1):
            f, h = R[i] + G[i, 0] * p + G[i, 1] * q, S[i] + G[i, 2] * p + G[i, 3] * q
            K[i], H[i] = f, h
            p, q = s * f, s * h
            x[i], z[i] = u[i] + dt * f, v[i] + dt * h
        p = q = 0.0
        for i in range(1, N + 1):
            w = x[i] * x[i] * z[i]
            f = A + w - (B + 1) * x[i] + d * (x[i - 1] - 2 * x[i] + x[i + 1]) - 2 * K[i] + s * p
            h = B * x[i] - w + d * (z[i - 1] - 2 * z[i] + z[i + 1]) - 2 * H[i] + s * q
            p, q = G[i, 0] * f + G[i, 1] * h, G[i, 2] * f + G[i, 3] * h
            R[i], S[i] = p, q
        p = q = 0.0
        for i in range(N, 0, -1):
            f, h = R[i] + G[i, 0] * p + G[i, 1] * q, S[i] + G[i, 2] * p + G[i, 3] * q
            u[i] += dt * (1.5 * K[i] + 0.5 * f)
            v[i] += dt * (1.5 * H[i] + 0.5 * h)
            p, q = s * f, s * h


def brusselator(y, A, B, D, dt, n):
    u = np.concatenate([[A], y[0::2], [A]])
    v = np.concatenate([[B / A], y[1::2], [B / A]])
    march(u, v, A, B, D * (len(y) // 2 + 1) ** 2, dt, GAMMA, n)
    return np.stack([u[1:-1], v[1:-1]], axis=1).ravel()
