# dies by: too-slow
# The augmented equations in whole arrays of NumPy: right, and every operator a pass through the caches.
import math

import numpy as np

ONE = {6: (math.sin, math.cos), 7: (math.exp, math.exp), 8: (math.log, lambda u: 1 / u), 9: (math.sqrt, lambda u: 0.5 / math.sqrt(u))}

TWO = {  # the value, and its derivatives by both
    2: lambda s, t: (s + t, 1, 1), 3: lambda s, t: (s - t, 1, -1),
    4: lambda s, t: (s * t, t, s), 5: lambda s, t: (s / t, 1 / t, -s / t**2),
}  # fmt: skip


def gradient(op, a, b, c, x):
    v, d, seeds = [], [], np.eye(len(x))
    for k, (what, i, j) in enumerate(zip(op.tolist(), a.tolist(), b.tolist(), strict=True)):
        if what < 2:
            v.append(float(x[i]) if what == 0 else float(c[k]))
            d.append(seeds[i] if what == 0 else np.zeros(len(x)))
        elif what > 5:
            v.append(ONE[what][0](v[i]))
            d.append(ONE[what][1](v[i]) * d[i])
        else:
            value, one, two = TWO[what](v[i], v[j])
            v.append(value)
            d.append(one * d[i] + two * d[j])
    return v[-1], np.array(d[-1])


def rates(w, alpha, beta, gamma, delta):
    x, y, X, Y = w[0], w[1], w[2:6], w[6:]
    k = np.concatenate([[x, y], (alpha - beta * y) * X - beta * x * Y, delta * y * X + (delta * x - gamma) * Y])
    k[0] *= alpha - beta * y
    k[1] *= delta * x - gamma
    k[2] += x
    k[3] -= x * y
    k[8] -= y
    k[9] += x * y
    return k


def march(w, P, dt, n):
    rows = [w]
    for _ in range(n):
        k1 = rates(w, *P)
        k2 = rates(w + dt / 2 * k1, *P)
        k3 = rates(w + dt / 2 * k2, *P)
        w = w + dt / 6 * (k1 + 2 * k2 + 2 * k3 + rates(w + dt * k3, *P))
        rows = [*rows, w] if w.shape[1] == 1 else [w]
    return rows


def start(m, u0):
    return np.concatenate([np.tile(np.asarray(u0)[:, None], (1, m)), np.zeros((8, m))])


def ensemble(P, u0, dt, n):
    w = march(start(len(P), u0), P.T, dt, n)[-1]
    return w[:2].T.copy(), w[2:].T.reshape(-1, 2, 4).copy()


def sens(p, u0, dt, n):
    rows = np.array(march(start(1, u0), p[:, None], dt, n))[:, :, 0]
    return rows[:, :2].copy(), rows[:, 2:].reshape(-1, 2, 4).copy()


def fit(data, u0, dt, p0):
    p, damping = p0, 1e-3
    u, D = sens(p, u0, dt, len(data) - 1)
    for _ in range(200):
        r, J = (u - data).ravel(), D.reshape(-1, 4)
        A = J.T @ J
        step = np.linalg.solve(A + damping * np.diag(np.diag(A)), -J.T @ r)
        with np.errstate(all="ignore"):
            there = sens(p + step, u0, dt, len(data) - 1)
            better = np.sum((there[0] - data) ** 2) <= r @ r
        damping *= 0.1 if better else 10
        if better:
            p, (u, D) = p + step, there
        if np.abs(step).max() < 1e-13 * np.abs(p).max():
            break
    return p
