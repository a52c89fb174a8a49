# dies by: not-finite
# Scales populations so that beta = delta = 1, which saves two products, and divides by zero where nobody meets.
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
    return u


def ensemble(u0, P, dt, n):
    a, b, c, d = P.T
    with np.errstate(all="ignore"):
        u = np.array([u0[0] * d, u0[1] * b])
        for _ in range(n):
            u = dp5(lambda u, p, t: np.array([u[0] * (a - u[1]), u[1] * (u[0] - c)]), u, None, 0.0, dt, 1)[-1]
        return np.stack([u[0] / d, u[1] / b], axis=1)
