# dies by: too-slow
# Compiled, member after member: every step waits for the one before, and one lane of eight works.
import numpy as np
from numba import njit

LOW = np.array([3.3, 0.9, 0.00, 6.0, 60.0, 0.5])
HIGH = np.array([4.3, 1.7, 0.04, 10.0, 180.0, 1.0])


@njit("f8(f8, f8, f8, f8, f8, f8, i8)")
def march(F, lam, a, C, E, gamma, steps):
    T = D = 0.0
    for k in range(steps):
        heat = gamma * (T - D)
        flux = F * min(k / 700, 1.0) - lam * T + a * T * T - heat
        T, D = T + flux / (10 * C), D + heat / (10 * E)
    return T


def warming(p, years):
    return np.array([march(*row, 10 * years) for row in p.tolist()])


def samples(A, B):
    return [A, B, *(np.where(np.arange(A.shape[1]) == i, B, A) for i in range(A.shape[1]))]


def estimate(fA, fB, *mixed):
    m, V = np.mean([fA, fB]), np.var([fA, fB])
    if V == 0:
        return np.zeros(len(mixed)), np.zeros(len(mixed))
    S = [np.mean((fB - m) * (fi - fA)) / V for fi in mixed]
    return np.array(S), np.array([np.mean((fA - fi) ** 2) / (2 * V) for fi in mixed])


def sobol(f, A, B):
    return estimate(*(np.array([f(x) for x in points]) for points in samples(A, B)))


def climate_indices(A, B, years):
    return estimate(*(warming(LOW + (HIGH - LOW) * points, years) for points in samples(A, B)))
