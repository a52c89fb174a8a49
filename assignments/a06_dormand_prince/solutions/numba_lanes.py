"""Steps of 128 members in one loop that Numba vectorises; a matrix of slopes in NumPy for the general case."""

import numpy as np
from numba import njit

LANES = 128  # nine arrays of them, 9 kB, stay in the first cache level

C = np.array([0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1])
A = np.array(
    [
        [0, 0, 0, 0, 0],
        [1 / 5, 0, 0, 0, 0],
        [3 / 40, 9 / 40, 0, 0, 0],
        [44 / 45, -56 / 15, 32 / 9, 0, 0],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    ]
)
B = np.array([35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84])


def dp5(f, u0, p, t0, dt, n):
    u = np.empty((n + 1, len(u0)))
    u[0] = u0
    slopes = np.zeros((len(u0), 6))
    for i in range(n):
        for s in range(6):
            slopes[:, s] = f(u[i] + dt * (slopes[:, :s] @ A[s, :s]), p, t0 + (i + C[s]) * dt)
        u[i + 1] = u[i] + dt * (slopes @ B)
    return u


@njit("void(f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8, i8)", fastmath=True, error_model="numpy")
def march(xs, ys, alphas, betas, gammas, deltas, dt, n):
    for _ in range(n):
        for i in range(len(xs)):
            x, y, alpha, beta, gamma, delta = xs[i], ys[i], alphas[i], betas[i], gammas[i], deltas[i]
            f1, g1 = x * (alpha - beta * y), y * (delta * x - gamma)
            u, v = x + dt * (1 / 5 * f1), y + dt * (1 / 5 * g1)
            f2, g2 = u * (alpha - beta * v), v * (delta * u - gamma)
            u, v = x + dt * (3 / 40 * f1 + 9 / 40 * f2), y + dt * (3 / 40 * g1 + 9 / 40 * g2)
            f3, g3 = u * (alpha - beta * v), v * (delta * u - gamma)
            u = x + dt * (44 / 45 * f1 - 56 / 15 * f2 + 32 / 9 * f3)
            v = y + dt * (44 / 45 * g1 - 56 / 15 * g2 + 32 / 9 * g3)
            f4, g4 = u * (alpha - beta * v), v * (delta * u - gamma)
            u = x + dt * (19372 / 6561 * f1 - 25360 / 2187 * f2 + 64448 / 6561 * f3 - 212 / 729 * f4)
            v = y + dt * (19372 / 6561 * g1 - 25360 / 2187 * g2 + 64448 / 6561 * g3 - 212 / 729 * g4)
            f5, g5 = u * (alpha - beta * v), v * (delta * u - gamma)
            u = x + dt * (9017 / 3168 * f1 - 355 / 33 * f2 + 46732 / 5247 * f3 + 49 / 176 * f4 - 5103 / 18656 * f5)
            v = y + dt * (9017 / 3168 * g1 - 355 / 33 * g2 + 46732 / 5247 * g3 + 49 / 176 * g4 - 5103 / 18656 * g5)
            f6, g6 = u * (alpha - beta * v), v * (delta * u - gamma)
            xs[i] = x + dt * (35 / 384 * f1 + 500 / 1113 * f3 + 125 / 192 * f4 - 2187 / 6784 * f5 + 11 / 84 * f6)
            ys[i] = y + dt * (35 / 384 * g1 + 500 / 1113 * g3 + 125 / 192 * g4 - 2187 / 6784 * g5 + 11 / 84 * g6)


def ensemble(u0, P, dt, n):
    out = np.empty((len(P), 2))
    for first in range(0, len(P), LANES):
        columns = np.ascontiguousarray(P[first : first + LANES].T)
        x, y = np.full(columns.shape[1], u0[0]), np.full(columns.shape[1], u0[1])
        march(x, y, *columns, dt, n)
        out[first : first + LANES, 0] = x
        out[first : first + LANES, 1] = y
    return out
