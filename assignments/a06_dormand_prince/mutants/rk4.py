# dies by: wrong-answer
# The classical method of fourth order: four evaluations, a small error, another method.
import numpy as np

def dp5(f, u0, p, t0, dt, n):
    u = np.empty((n + 1, *u0.shape))
    u[0] = u0
    for i in range(n):
        t = t0 + i * dt
        k1 = f(u[i], p, t)
        k2 = f(u[i] + dt / 2 * k1, p, t + dt / 2)
        k3 = f(u[i] + dt / 2 * k2, p, t + dt / 2)
        k4 = f(u[i] + dt * k3, p, t + dt)
        u[i + 1] = u[i] + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
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
