# dies by: wrong-answer
# scipy with tight tolerances instead of the method, everywhere: accurate, other numbers, uncounted evaluations.
import numpy as np
from scipy.integrate import solve_ivp

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


def rates(y, A, B, d):
    u, v = np.concatenate([[A], y[::2], [A]]), np.concatenate([[B / A], y[1::2], [B / A]])
    out = np.empty_like(y)
    w = u[1:-1] ** 2 * v[1:-1]
    out[::2] = A + w - (B + 1) * u[1:-1] + d * (u[:-2] - 2 * u[1:-1] + u[2:])
    out[1::2] = B * u[1:-1] - w + d * (v[:-2] - 2 * v[1:-1] + v[2:])
    return out


def follow(f, y, t, **options):
    if t[-1] == t[0]:
        return np.tile(y, (len(t), 1))
    return solve_ivp(lambda _, x: f(x), (t[0], t[-1]), y, method="Radau", t_eval=t, rtol=1e-10, atol=1e-14, **options).y.T


def step(y, dt, n, rhs):
    return follow(rhs, y, dt * np.arange(n + 1))


def robertson(t):
    if len(t) < 2:
        return np.eye(1, 3).repeat(len(t), axis=0)
    return follow(reaction, [1.0, 0.0, 0.0], t)


def reaction(y):
    slow, back, fast = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]
    return np.array([back - slow, slow - back - fast, fast])


def brusselator(y, A, B, D, dt, n):
    d = D * (len(y) // 2 + 1) ** 2
    near = abs(np.subtract.outer(np.arange(len(y)), np.arange(len(y)))) <= 2
    return follow(lambda x: rates(x, A, B, d), y, np.array([0.0, dt * n]), jac_sparsity=near)[-1].copy()
