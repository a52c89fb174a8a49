# dies by: too-slow
# Whole arrays of NumPy without temporaries, all members of all samples at once: right, and bound by the caches.
import numpy as np

LOW = np.array([3.3, 0.9, 0.00, 6.0, 60.0, 0.5])
HIGH = np.array([4.3, 1.7, 0.04, 10.0, 180.0, 1.0])


def warming(p, years):
    F, lam, a, C, E, gamma = np.ascontiguousarray(p.T)
    T, D, heat, flux = np.zeros((4, len(p)))
    for step in range(10 * years):
        np.subtract(T, D, out=heat)
        heat *= gamma
        np.multiply(a, T, out=flux)
        flux -= lam
        flux *= T
        flux += F * min(step / 700, 1.0)
        flux -= heat
        flux /= 10 * C
        T += flux
        heat /= 10 * E
        D += heat
    return T


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
    return estimate(*np.split(warming(LOW + (HIGH - LOW) * np.concatenate(samples(A, B)), years), 8))
