"""Numba: blocks are eliminated from both ends towards the middle, two chains at once; small systems by LAPACK's banded solver."""

import numpy as np
from numba import njit
from scipy.linalg import solve_banded

GAMMA = 1 - np.sqrt(0.5)


def jacobian(y, rhs):
    return differences(y, rhs(y), rhs)


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


def banded(matrix, b):
    width = min(2, len(b) - 1)
    return solve_banded((width, width), matrix[2 - width : 3 + width], b)


def robertson(t):
    rows = np.zeros((len(t), 3))
    rows[:1, 0] = 1.0
    for i in range(len(t) - 1):
        y, dt = rows[i], t[i + 1] - t[i]
        M = np.eye(3) - GAMMA * dt * reaction_jacobian(y)
        k1 = np.linalg.solve(M, reaction(y))
        k2 = np.linalg.solve(M, reaction(y + dt * k1) - 2 * k1)
        rows[i + 1] = y + dt * (1.5 * k1 + 0.5 * k2)
    return rows


def reaction(y):
    slow, back, fast = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]
    return np.array([back - slow, slow - back - fast, fast])


def reaction_jacobian(y):
    return np.array(
        [[-0.04, 1e4 * y[2], 1e4 * y[1]], [0.04, -1e4 * y[2] - 6e7 * y[1], -1e4 * y[1]], [0.0, 6e7 * y[1], 0.0]]
    )


@njit(inline="always")
def inverse(u, v, a, b, c, e, B, g, s):
    """Inverse of a diagonal block after elimination of the neighbour whose inverse is (a, b), (c, e)."""
    uu, uv = g * u * u, 2 * g * u * v
    ma, mb = 1 + g * (B + 1) + 2 * s - uv - s * s * a, -uu - s * s * b
    mc, me = uv - g * B - s * s * c, 1 + uu + 2 * s - s * s * e
    r = 1 / (ma * me - mb * mc)
    return r * me, -r * mb, -r * mc, r * ma


@njit("void(f8[:,::1], f8[::1], f8[::1], i8, i8, f8)", fastmath=True, error_model="numpy")
def substitute(G, K, H, middle, N, s):
    """K and H hold the right-hand side and become the solution: from both ends to the middle, and back."""
    p = q = p2 = q2 = 0.0
    for i in range(1, middle):
        j = N + 1 - i
        f, h, f2, h2 = K[i] + s * p, H[i] + s * q, K[j] + s * p2, H[j] + s * q2
        K[i], H[i] = p, q = G[i, 0] * f + G[i, 1] * h, G[i, 2] * f + G[i, 3] * h
        K[j], H[j] = p2, q2 = G[j, 0] * f2 + G[j, 1] * h2, G[j, 2] * f2 + G[j, 3] * h2
    j = middle + 1
    if N % 2 == 0:  # the chain from the right is longer by one
        f2, h2 = K[j] + s * p2, H[j] + s * q2
        K[j], H[j] = p2, q2 = G[j, 0] * f2 + G[j, 1] * h2, G[j, 2] * f2 + G[j, 3] * h2
    f, h = K[middle] + s * (p + p2), H[middle] + s * (q + q2)
    K[middle], H[middle] = G[middle, 0] * f + G[middle, 1] * h, G[middle, 2] * f + G[middle, 3] * h
    p, q = p2, q2 = s * K[middle], s * H[middle]
    if N % 2 == 0:
        K[j], H[j] = f2, h2 = K[j] + G[j, 0] * p2 + G[j, 1] * q2, H[j] + G[j, 2] * p2 + G[j, 3] * q2
        p2, q2 = s * f2, s * h2
    for i in range(middle - 1, 0, -1):
        j = N + 1 - i
        f, h = K[i] + G[i, 0] * p + G[i, 1] * q, H[i] + G[i, 2] * p + G[i, 3] * q
        f2, h2 = K[j] + G[j, 0] * p2 + G[j, 1] * q2, H[j] + G[j, 2] * p2 + G[j, 3] * q2
        K[i], H[i], K[j], H[j] = f, h, f2, h2
        p, q, p2, q2 = s * f, s * h, s * f2, s * h2


@njit("void(f8[::1], f8[::1], f8, f8, f8, f8[::1], f8[::1])", fastmath=True, error_model="numpy")
def rates(u, v, A, B, d, f, h):
    for i in range(1, len(u) - 1):
        w = u[i] * u[i] * v[i]
        f[i] = A + w - (B + 1) * u[i] + d * (u[i - 1] - 2 * u[i] + u[i + 1])
        h[i] = B * u[i] - w + d * (v[i - 1] - 2 * v[i] + v[i + 1])


@njit("void(f8[::1], f8[::1], f8, f8, f8, f8, f8, i8)", fastmath=True, error_model="numpy")
def march(u, v, A, B, d, dt, gamma, n):
    N, size = len(u) - 2, len(u)  # with the boundary
    g, s, middle = gamma * dt, gamma * dt * d, (N + 1) // 2
    G = np.empty((size, 4))
    K, H, K2, H2 = np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size)
    x, z = u.copy(), v.copy()
    for _ in range(n):
        a = b = c = e = a2 = b2 = c2 = e2 = 0.0
        for i in range(1, middle):
            j = N + 1 - i
            a, b, c, e = inverse(u[i], v[i], a, b, c, e, B, g, s)
            a2, b2, c2, e2 = inverse(u[j], v[j], a2, b2, c2, e2, B, g, s)
            G[i, 0], G[i, 1], G[i, 2], G[i, 3] = a, b, c, e
            G[j, 0], G[j, 1], G[j, 2], G[j, 3] = a2, b2, c2, e2
        if N % 2 == 0:
            j = middle + 1
            a2, b2, c2, e2 = inverse(u[j], v[j], a2, b2, c2, e2, B, g, s)
            G[j, 0], G[j, 1], G[j, 2], G[j, 3] = a2, b2, c2, e2
        i = middle
        G[i, 0], G[i, 1], G[i, 2], G[i, 3] = inverse(u[i], v[i], a + a2, b + b2, c + c2, e + e2, B, g, s)
        rates(u, v, A, B, d, K, H)
        substitute(G, K, H, middle, N, s)
        for i in range(1, N + 1):
            x[i], z[i] = u[i] + dt * K[i], v[i] + dt * H[i]
        rates(x, z, A, B, d, K2, H2)
        for i in range(1, N + 1):
            K2[i] -= 2 * K[i]
            H2[i] -= 2 * H[i]
        substitute(G, K2, H2, middle, N, s)
        for i in range(1, N + 1):
            u[i] += dt * (1.5 * K[i] + 0.5 * K2[i])
            v[i] += dt * (1.5 * H[i] + 0.5 * H2[i])


def brusselator(y, A, B, D, dt, n):
    u = np.concatenate([[A], y[0::2], [A]])
    v = np.concatenate([[B / A], y[1::2], [B / A]])
    march(u, v, A, B, D * (len(y) // 2 + 1) ** 2, dt, GAMMA, n)
    return np.stack([u[1:-1], v[1:-1]], axis=1).ravel()
