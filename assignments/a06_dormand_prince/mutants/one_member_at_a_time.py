# dies by: too-slow
# Compiled, but member after member, and the table is walked through in loops.
import numpy as np
from numba import njit

C = np.array([0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1])
A = [
    [],
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
]
B = [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84]


def dp5(f, u0, p, t0, dt, n):
    u = np.empty((n + 1, *u0.shape))
    u[0] = u0
    for i in range(n):
        k = []
        for c, row in zip(C, A):
            k.append(f(u[i] + dt * sum(a * ki for a, ki in zip(row, k)), p, t0 + (i + c) * dt))
        u[i + 1] = u[i] + dt * sum(b * ki for b, ki in zip(B, k))
    return u


@njit(fastmath=True)
def march(P, x0, y0, A, B, dt, n, out):
    k = np.empty((6, 2))
    for i in range(len(P)):
        a, b, c, d = P[i]
        x, y = x0, y0
        for _ in range(n):
            for s in range(6):
                u, v = x, y
                for j in range(s):
                    u += dt * A[s, j] * k[j, 0]
                    v += dt * A[s, j] * k[j, 1]
                k[s, 0] = u * (a - b * v)
                k[s, 1] = v * (d * u - c)
            for j in range(6):
                x += dt * B[j] * k[j, 0]
                y += dt * B[j] * k[j, 1]
        out[i, 0], out[i, 1] = x, y


def ensemble(u0, P, dt, n):
    table = np.zeros((6, 6))
    for s, row in enumerate(A):
        table[s, :s] = row
    out = np.empty((len(P), 2))
    march(np.ascontiguousarray(P), u0[0], u0[1], table, np.array(B), dt, n, out)
    return out
