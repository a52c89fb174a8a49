"""Numba, one chain after the other: both derivatives of an epidemic in scalars, and a chain that keeps its last energy."""

import math

import numpy as np
from numba import njit

MIDDLE = (math.log(0.4), math.log(0.15))


@njit(error_model="numpy")
def potential(x, y, data):
    beta, gamma = math.exp(x), math.exp(y)
    well, ill, wellx, illx, welly, illy = 0.99, 0.01, 0.0, 0.0, 0.0, 0.0
    U, Ux, Uy = 0.0, 0.0, 0.0
    for observed in data:
        for _ in range(4):
            f, r = 0.25 * beta * well * ill, 0.25 * gamma * ill
            fx = f + 0.25 * beta * (wellx * ill + well * illx)
            fy = 0.25 * beta * (welly * ill + well * illy)
            rx, ry = 0.25 * gamma * illx, r + 0.25 * gamma * illy
            well, wellx, welly = well - f, wellx - fx, welly - fy
            ill, illx, illy = ill + (f - r), illx + (fx - rx), illy + (fy - ry)
        away = (ill - observed) / 0.02
        U += 0.5 * away * away
        Ux += away * illx / 0.02
        Uy += away * illy / 0.02
    dx, dy = x - MIDDLE[0], y - MIDDLE[1]
    return U + 2.0 * (dx * dx + dy * dy), Ux + 4.0 * dx, Uy + 4.0 * dy


@njit(error_model="numpy")
def chain(q, eps, L, P, w, data, out):
    x, y = q[0], q[1]
    U, Ux, Uy = potential(x, y, data)
    for i in range(len(P)):
        a, b = P[i, 0], P[i, 1]
        before = U + 0.5 * (a * a + b * b)
        X, Y, V, Vx, Vy = x, y, U, Ux, Uy
        for _ in range(L):
            a -= 0.5 * eps * Vx
            b -= 0.5 * eps * Vy
            X += eps * a
            Y += eps * b
            V, Vx, Vy = potential(X, Y, data)
            a -= 0.5 * eps * Vx
            b -= 0.5 * eps * Vy
        if np.log(w[i]) < before - (V + 0.5 * (a * a + b * b)):
            x, y, U, Ux, Uy = X, Y, V, Vx, Vy
        out[i, 0], out[i, 1] = x, y


@njit(error_model="numpy")
def run(Q0, eps, L, P, w, data, out):
    for c in range(len(Q0)):
        chain(Q0[c], eps, L, P[c], w[c], data, out[c])


def plain(*arrays):
    return [np.array(x, dtype=float, order="C") for x in arrays]


def flight(f, q, slope, p, eps, L):
    """Return the end of a trajectory, with the energy and the slope that were found there."""
    U = math.nan
    p = p - eps / 2 * slope
    for left in range(L - 1, -1, -1):
        q = q + eps * p
        U, slope = f(q.copy())
        slope = np.array(slope, dtype=float)
        p = p - (eps if left else eps / 2) * slope
    return q, p, U, slope


def leapfrog(f, q, p, eps, L):
    q, p = plain(q, p)
    with np.errstate(all="ignore"):
        return flight(f, q, np.array(f(q.copy())[1], dtype=float), p, eps, L)[:2]


def hmc(f, q0, eps, L, P, w):
    q, P, w = plain(q0, P, w)
    out = np.empty(P.shape)
    if len(P) == 0:
        return out
    with np.errstate(all="ignore"):
        U, slope = f(q.copy())
        slope = np.array(slope, dtype=float)
        for i, p in enumerate(P):
            end = flight(f, q, slope, p, eps, L)
            if np.log(w[i]) < (U + p @ p / 2) - (end[2] + end[1] @ end[1] / 2):
                q, _, U, slope = end
            out[i] = q
    return out


def epidemic(theta, data):
    x, y = plain(theta)[0]
    U, *slope = potential(x, y, *plain(data))
    return U, np.array(slope)


def chains(Q0, eps, L, P, w, data):
    Q0, P, w, data = plain(Q0, P, w, data)
    out = np.empty(P.shape)
    run(Q0, float(eps), L, P, w, data, out)
    return out


run(np.zeros((1, 2)), 0.1, 1, np.zeros((1, 1, 2)), np.ones((1, 1)), np.zeros(1), np.empty((1, 1, 2)))
