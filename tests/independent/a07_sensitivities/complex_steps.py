"""Numba with complex steps: each rate in turn gets a tiny imaginary part; programs are differentiated backwards."""

import numpy as np
from numba import njit

TINY = 1e-40


def gradient(op, a, b, c, x):
    m, x = len(op), np.array(x, dtype=float)
    v, pull, slope = np.zeros(m), np.zeros(m), np.zeros(len(x))
    with np.errstate(all="ignore"):
        for j in range(m):
            kind = op[j]
            if kind == 0:
                v[j] = x[a[j]]
            elif kind == 1:
                v[j] = c[j]
            elif kind <= 5:
                v[j] = (np.add, np.subtract, np.multiply, np.divide)[kind - 2](v[a[j]], v[b[j]])
            else:
                v[j] = (np.sin, np.exp, np.log, np.sqrt)[kind - 6](v[a[j]])
        pull[-1] = 1.0
        for j in range(m - 1, -1, -1):
            kind, w = op[j], pull[j]
            if w == 0 or kind == 1:
                continue
            if kind == 0:
                slope[a[j]] += w
                continue
            left = v[a[j]]
            if kind <= 5:
                right = v[b[j]]
                to_left, to_right = (
                    (1.0, 1.0),
                    (1.0, -1.0),
                    (right, left),
                    (1 / right, -v[j] / right) if kind == 5 else (0.0, 0.0),
                )[kind - 2]
                pull[a[j]] += w * to_left
                pull[b[j]] += w * to_right
            elif kind == 6:
                pull[a[j]] += w * np.cos(left)
            elif kind == 7:
                pull[a[j]] += w * v[j]
            elif kind == 8:
                pull[a[j]] += w / left
            else:
                pull[a[j]] += w / (2 * v[j])
    return float(v[-1]), slope


@njit
def rate(x, y, p):
    return x * (p[0] - p[1] * y), y * (p[3] * x - p[2])


@njit
def travel(p, u0, dt, n, u, D):
    """Fill u (s, 2) and D (s, 2, 4) with the last s of n + 1 states and their derivatives."""
    keep = len(u)
    for i in range(4):
        q = p.astype(np.complex128)
        q[i] += 1j * TINY
        x, y = complex(u0[0]), complex(u0[1])
        for s in range(n + 1):
            if s:
                k1, l1 = rate(x, y, q)
                k2, l2 = rate(x + dt / 2 * k1, y + dt / 2 * l1, q)
                k3, l3 = rate(x + dt / 2 * k2, y + dt / 2 * l2, q)
                k4, l4 = rate(x + dt * k3, y + dt * l3, q)
                x += dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
                y += dt / 6 * (l1 + 2 * l2 + 2 * l3 + l4)
            row = s - (n + 1 - keep)
            if row >= 0:
                u[row, 0], u[row, 1] = x.real, y.real
                D[row, 0, i], D[row, 1, i] = x.imag / TINY, y.imag / TINY


@njit
def travel_all(P, u0, dt, n, u, D):
    for i in range(len(P)):
        travel(P[i], u0, dt, n, u[i : i + 1], D[i : i + 1])


def plain(*arrays):
    return [np.array(x, dtype=float, order="C") for x in arrays]


def sens(p, u0, dt, n):
    p, u0 = plain(p, u0)
    u, D = np.empty((n + 1, 2)), np.empty((n + 1, 2, 4))
    travel(p, u0, float(dt), n, u, D)
    return u, D


def ensemble(P, u0, dt, n):
    P, u0 = plain(P, u0)
    u, D = np.empty((len(P), 2)), np.empty((len(P), 2, 4))
    travel_all(P, u0, float(dt), n, u, D)
    return u, D


def fit(data, u0, dt, p0):
    data, p = plain(data, p0)

    def look(p):
        u, D = sens(p, u0, dt, len(data) - 1)
        r, J = (u - data).ravel(), D.reshape(-1, 4)
        return r @ r if np.isfinite(r).all() and np.isfinite(J).all() else np.inf, r, J

    def try_step(r, J, mu):
        scale = np.sqrt(mu) * np.sqrt((J**2).sum(axis=0))
        return np.linalg.lstsq(np.concatenate([J, np.diag(scale)]), np.concatenate([-r, np.zeros(4)]), rcond=None)[0]

    mu, (least, r, J) = 1e-3, look(p)
    for _ in range(200):
        s = try_step(r, J, mu)
        there = look(p + s)
        if there[0] < least:
            p, (least, r, J), mu = p + s, there, mu / 10
        else:
            mu *= 10
        if mu > 1e12 or not s.any():
            break
    size = np.inf
    for _ in range(50):  # what the sum cannot tell any more: whole steps as long as they shrink
        s = try_step(r, J, 0.0)
        if not np.abs(s).max() < min(size, 1e-4):
            break
        size, p = np.abs(s).max(), p + s
        _, r, J = look(p)
    return p


travel_all(np.ones((1, 4)), np.ones(2), 0.1, 1, np.empty((1, 2)), np.empty((1, 2, 4)))
