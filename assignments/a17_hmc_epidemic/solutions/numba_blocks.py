"""Numba: 64 chains of a block take every step together, in arrays that stay in the first cache level."""

import numpy as np
from numba import njit

CENTRE = np.log([0.4, 0.15])
LANES = 64


@njit("void(f8[:,::1], f8[::1], f8[::1], f8[:,::1])", fastmath=True, error_model="numpy")
def energies(theta, data, centre, out):
    m = theta.shape[1]
    beta, gamma = 0.25 * np.exp(theta[0]), 0.25 * np.exp(theta[1])
    S, I = np.full(m, 0.99), np.full(m, 0.01)
    S1, I1, S2, I2 = np.zeros(m), np.zeros(m), np.zeros(m), np.zeros(m)
    for j in range(m):
        x, y = theta[0, j] - centre[0], theta[1, j] - centre[1]
        out[0, j], out[1, j], out[2, j] = 2.0 * (x * x + y * y), 4.0 * x, 4.0 * y
    for d in range(len(data)):
        for _ in range(4):
            for j in range(m):
                sick, there = beta[j] * I[j], beta[j] * S[j]
                f, r = sick * S[j], gamma[j] * I[j]
                f1, f2 = f + sick * S1[j] + there * I1[j], sick * S2[j] + there * I2[j]
                S[j] -= f
                S1[j] -= f1
                S2[j] -= f2
                I2[j] += f2 - r - gamma[j] * I2[j]
                I1[j] += f1 - gamma[j] * I1[j]
                I[j] += f - r
        for j in range(m):
            off = I[j] - data[d]
            out[0, j] += 1250.0 * off * off
            out[1, j] += 2500.0 * off * I1[j]
            out[2, j] += 2500.0 * off * I2[j]


def epidemic(theta, data):
    out = np.empty((3, 1))
    energies(theta[:, None].copy(), np.ascontiguousarray(data), CENTRE, out)
    return float(out[0, 0]), out[1:, 0].copy()


def trajectory(f, q, p, slope, eps, L):
    q, p, U = q.copy(), p.copy(), np.nan
    for step in range(L):
        p -= (eps if step else eps / 2) * slope
        q += eps * p
        U, slope = f(q)
    p -= eps / 2 * slope
    return q, p, U, slope


def leapfrog(f, q, p, eps, L):
    return trajectory(f, q, p, f(q)[1], eps, L)[:2]


def hmc(f, q0, eps, L, P, w):
    out, q = np.empty(P.shape), q0
    if len(P):
        U, slope = f(q)
    for i in range(len(P)):
        end, last, V, there = trajectory(f, q, P[i], slope, eps, L)
        if np.log(w[i]) < U + P[i] @ P[i] / 2 - V - last @ last / 2:
            q, U, slope = end, V, there
        out[i] = q
    return out


def chains(Q0, eps, L, P, w, data):
    out, data, limit = np.empty(P.shape), np.ascontiguousarray(data), np.log(w)
    for first in range(0, len(Q0), LANES):
        part = slice(first, first + LANES)
        q = Q0[part].T.copy()
        here, there = np.empty((3, q.shape[1])), np.empty((3, q.shape[1]))
        energies(q, data, CENTRE, here)
        for i in range(P.shape[1]):
            p, x = P[part, i].T.copy(), q.copy()
            H = here[0] + (p * p).sum(axis=0) / 2
            there[:] = here
            for step in range(L):
                p -= (eps if step else eps / 2) * there[1:]
                x += eps * p
                energies(x, data, CENTRE, there)
            p -= eps / 2 * there[1:]
            taken = limit[part, i] < H - there[0] - (p * p).sum(axis=0) / 2
            q, here = np.where(taken, x, q), np.where(taken, there, here)
            out[part, i] = q.T
    return out
