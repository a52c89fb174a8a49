# dies by: wrong-answer
# Computes the last slope of a step for an error estimate, throws it away, and asks for it again: eight evaluations.
import numpy as np

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
        k.append(f(u[i + 1], p, t0 + (i + 1) * dt))
        assert np.isfinite(f(u[i + 1], p, t0 + (i + 1) * dt)).all()
    return u


def rates(u, P, t):
    x, y = u
    a, b, c, d = P
    return np.array([x * (a - b * y), y * (d * x - c)])


def ensemble(u0, P, dt, n):
    u = np.outer(u0, np.ones(len(P)))
    for _ in range(n):
        u = dp5(rates, u, P.T, 0.0, dt, 1)[-1]
    return u.T.copy()
