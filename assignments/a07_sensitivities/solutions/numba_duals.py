"""Dual numbers as a class; ensembles in Numba, 64 members in a loop that it vectorises, all derivatives written out."""

import math
import operator

import numpy as np
from numba import njit

LANES = 64


@njit("void(f8[:,::1], f8[:,::1], f8, i8)", fastmath=True, error_model="numpy")
def march(w, P, dt, n):
    half, sixth = dt / 2, dt / 6
    for _ in range(n):
        for i in range(w.shape[1]):
            al, be, ga, de = P[0, i], P[1, i], P[2, i], P[3, i]
            w0 = w[0, i]
            w1 = w[1, i]
            w2 = w[2, i]
            w3 = w[3, i]
            w4 = w[4, i]
            w5 = w[5, i]
            w6 = w[6, i]
            w7 = w[7, i]
            w8 = w[8, i]
            w9 = w[9, i]
            a0 = al - be * w1
            b0 = de * w0 - ga
            c0 = be * w0
            d0 = de * w1
            e0 = w0 * w1
            k0_0 = w0 * a0
            k0_1 = w1 * b0
            k0_2 = a0 * w2 - c0 * w6 + w0
            k0_6 = d0 * w2 + b0 * w6
            k0_3 = a0 * w3 - c0 * w7 - e0
            k0_7 = d0 * w3 + b0 * w7
            k0_4 = a0 * w4 - c0 * w8
            k0_8 = d0 * w4 + b0 * w8 - w1
            k0_5 = a0 * w5 - c0 * w9
            k0_9 = d0 * w5 + b0 * w9 + e0
            z0_0 = w0 + half * k0_0
            z0_1 = w1 + half * k0_1
            z0_2 = w2 + half * k0_2
            z0_3 = w3 + half * k0_3
            z0_4 = w4 + half * k0_4
            z0_5 = w5 + half * k0_5
            z0_6 = w6 + half * k0_6
            z0_7 = w7 + half * k0_7
            z0_8 = w8 + half * k0_8
            z0_9 = w9 + half * k0_9
            a1 = al - be * z0_1
            b1 = de * z0_0 - ga
            c1 = be * z0_0
            d1 = de * z0_1
            e1 = z0_0 * z0_1
            k1_0 = z0_0 * a1
            k1_1 = z0_1 * b1
            k1_2 = a1 * z0_2 - c1 * z0_6 + z0_0
            k1_6 = d1 * z0_2 + b1 * z0_6
            k1_3 = a1 * z0_3 - c1 * z0_7 - e1
            k1_7 = d1 * z0_3 + b1 * z0_7
            k1_4 = a1 * z0_4 - c1 * z0_8
            k1_8 = d1 * z0_4 + b1 * z0_8 - z0_1
            k1_5 = a1 * z0_5 - c1 * z0_9
            k1_9 = d1 * z0_5 + b1 * z0_9 + e1
            z1_0 = w0 + half * k1_0
            z1_1 = w1 + half * k1_1
            z1_2 = w2 + half * k1_2
            z1_3 = w3 + half * k1_3
            z1_4 = w4 + half * k1_4
            z1_5 = w5 + half * k1_5
            z1_6 = w6 + half * k1_6
            z1_7 = w7 + half * k1_7
            z1_8 = w8 + half * k1_8
            z1_9 = w9 + half * k1_9
            a2 = al - be * z1_1
            b2 = de * z1_0 - ga
            c2 = be * z1_0
            d2 = de * z1_1
            e2 = z1_0 * z1_1
            k2_0 = z1_0 * a2
            k2_1 = z1_1 * b2
            k2_2 = a2 * z1_2 - c2 * z1_6 + z1_0
            k2_6 = d2 * z1_2 + b2 * z1_6
            k2_3 = a2 * z1_3 - c2 * z1_7 - e2
            k2_7 = d2 * z1_3 + b2 * z1_7
            k2_4 = a2 * z1_4 - c2 * z1_8
            k2_8 = d2 * z1_4 + b2 * z1_8 - z1_1
            k2_5 = a2 * z1_5 - c2 * z1_9
            k2_9 = d2 * z1_5 + b2 * z1_9 + e2
            z2_0 = w0 + dt * k2_0
            z2_1 = w1 + dt * k2_1
            z2_2 = w2 + dt * k2_2
            z2_3 = w3 + dt * k2_3
            z2_4 = w4 + dt * k2_4
            z2_5 = w5 + dt * k2_5
            z2_6 = w6 + dt * k2_6
            z2_7 = w7 + dt * k2_7
            z2_8 = w8 + dt * k2_8
            z2_9 = w9 + dt * k2_9
            a3 = al - be * z2_1
            b3 = de * z2_0 - ga
            c3 = be * z2_0
            d3 = de * z2_1
            e3 = z2_0 * z2_1
            k3_0 = z2_0 * a3
            k3_1 = z2_1 * b3
            k3_2 = a3 * z2_2 - c3 * z2_6 + z2_0
            k3_6 = d3 * z2_2 + b3 * z2_6
            k3_3 = a3 * z2_3 - c3 * z2_7 - e3
            k3_7 = d3 * z2_3 + b3 * z2_7
            k3_4 = a3 * z2_4 - c3 * z2_8
            k3_8 = d3 * z2_4 + b3 * z2_8 - z2_1
            k3_5 = a3 * z2_5 - c3 * z2_9
            k3_9 = d3 * z2_5 + b3 * z2_9 + e3
            w[0, i] = w0 + sixth * (k0_0 + 2 * k1_0 + 2 * k2_0 + k3_0)
            w[1, i] = w1 + sixth * (k0_1 + 2 * k1_1 + 2 * k2_1 + k3_1)
            w[2, i] = w2 + sixth * (k0_2 + 2 * k1_2 + 2 * k2_2 + k3_2)
            w[3, i] = w3 + sixth * (k0_3 + 2 * k1_3 + 2 * k2_3 + k3_3)
            w[4, i] = w4 + sixth * (k0_4 + 2 * k1_4 + 2 * k2_4 + k3_4)
            w[5, i] = w5 + sixth * (k0_5 + 2 * k1_5 + 2 * k2_5 + k3_5)
            w[6, i] = w6 + sixth * (k0_6 + 2 * k1_6 + 2 * k2_6 + k3_6)
            w[7, i] = w7 + sixth * (k0_7 + 2 * k1_7 + 2 * k2_7 + k3_7)
            w[8, i] = w8 + sixth * (k0_8 + 2 * k1_8 + 2 * k2_8 + k3_8)
            w[9, i] = w9 + sixth * (k0_9 + 2 * k1_9 + 2 * k2_9 + k3_9)


def start(m, u0):
    w = np.zeros((10, m))
    w[0], w[1] = u0
    return w


def ensemble(P, u0, dt, n):
    u, D = np.empty((len(P), 2)), np.empty((len(P), 2, 4))
    for first in range(0, len(P), LANES):
        part = np.ascontiguousarray(P[first : first + LANES].T)
        w = start(part.shape[1], u0)
        march(w, part, dt, n)
        u[first : first + LANES] = w[:2].T
        D[first : first + LANES] = w[2:].T.reshape(-1, 2, 4)
    return u, D


def sens(p, u0, dt, n):
    rows, w, P = [], start(1, u0), np.ascontiguousarray(p[:, None])
    for i in range(n + 1):
        if i:
            march(w, P, dt, 1)
        rows.append(w[:, 0].copy())
    rows = np.array(rows)
    return rows[:, :2].copy(), rows[:, 2:].reshape(-1, 2, 4).copy()


class Dual:
    """A value and its derivatives by all inputs."""

    def __init__(self, value, slope):
        self.value, self.slope = value, slope

    def __add__(self, other):
        return Dual(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other):
        return Dual(self.value - other.value, self.slope - other.slope)

    def __mul__(self, other):
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    def __truediv__(self, other):
        value = self.value / other.value
        return Dual(value, (self.slope - value * other.slope) / other.value)

    def through(self, value, slope):
        return Dual(value, slope * self.slope)


def sin(u):
    return u.through(math.sin(u.value), math.cos(u.value))


def exp(u):
    return u.through(math.exp(u.value), math.exp(u.value))


def log(u):
    return u.through(math.log(u.value), 1 / u.value)


def sqrt(u):
    return u.through(math.sqrt(u.value), 0.5 / math.sqrt(u.value))


TWO = {2: operator.add, 3: operator.sub, 4: operator.mul, 5: operator.truediv}
ONE = {6: sin, 7: exp, 8: log, 9: sqrt}


def gradient(op, a, b, c, x):
    seeds, v = np.eye(len(x)), []
    for what, i, j, number in zip(op.tolist(), a.tolist(), b.tolist(), c.tolist(), strict=True):
        if what == 0:
            v.append(Dual(float(x[i]), seeds[i]))
        elif what == 1:
            v.append(Dual(number, np.zeros(len(x))))
        else:
            v.append(TWO[what](v[i], v[j]) if what in TWO else ONE[what](v[i]))
    return v[-1].value, np.array(v[-1].slope)


def fit(data, u0, dt, p0):
    p, damping, n = p0.copy(), 1e-3, len(data) - 1
    u, D = sens(p, u0, dt, n)
    for _ in range(200):
        r, J = (u - data).ravel(), D.reshape(-1, 4)
        A = J.T @ J
        step = np.linalg.solve(A + damping * np.diag(np.diag(A)), -J.T @ r)
        with np.errstate(all="ignore"):  # a step may be far too long, and is not taken then
            there = sens(p + step, u0, dt, n)
            better = np.sum((there[0] - data) ** 2) <= r @ r
        if better:
            p, (u, D), damping = p + step, there, damping / 10
        else:
            damping *= 10
        if np.abs(step).max() < 1e-13 * np.abs(p).max():
            break
    return p
