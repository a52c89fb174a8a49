# dies by: wrong-answer
# Solves the ensemble by scipy's eighth-order method, with an error far below that of the steps asked for.
import numpy as np
from scipy.integrate import solve_ivp

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


def ensemble(u0, P, dt, n):
    a, b, c, d = P.T

    def rates(t, u):
        x, y = u.reshape(2, -1)
        return np.concatenate([x * (a - b * y), y * (d * x - c)])

    start = np.outer(u0, np.ones(len(P))).ravel()
    if n == 0 or len(P) == 0:
        return start.reshape(2, -1).T.copy()
    end = solve_ivp(rates, (0.0, n * dt), start, method="DOP853", rtol=1e-11, atol=1e-11).y[:, -1]
    return end.reshape(2, -1).T.copy()
