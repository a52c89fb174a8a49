"""Baseline: Sobol' indices with whole arrays of NumPy, one matrix of points after the other.

Formula, units and arguments as in `sobol`. All n members of a matrix take a step together: a dozen array operations a step, each with
a temporary of n numbers. With n = 10 000 an array has 80 kB, so that operands come from the second cache level, some 20 bytes for a flop.
"""

from collections.abc import Callable

import numpy as np

LOW = np.array([3.3, 0.9, 0.00, 6.0, 60.0, 0.5])
HIGH = np.array([4.3, 1.7, 0.04, 10.0, 180.0, 1.0])


def warming(p: np.ndarray, years: int) -> np.ndarray:
    """Return T (n,) in K after so many years; arguments as in the oracle."""
    F, lam, a, C, E, gamma = p.T
    T, D = np.zeros(len(p)), np.zeros(len(p))
    for step in range(10 * years):
        heat = gamma * (T - D)
        flux = F * min(step / 700, 1.0) - lam * T + a * T**2 - heat
        T, D = T + 0.1 * flux / C, D + 0.1 * heat / E
    return T


def estimate(fA: np.ndarray, fB: np.ndarray, mixed: list) -> tuple[np.ndarray, np.ndarray]:
    """Return S (k,) and ST (k,) from values of the model."""
    m, V = np.mean([fA, fB]), np.var([fA, fB])
    if np.ptp([fA, fB]) == 0:
        return np.zeros(len(mixed)), np.zeros(len(mixed))
    S = [np.mean((fB - m) * (fi - fA)) / V for fi in mixed]
    ST = [np.mean((fA - fi) ** 2) / (2 * V) for fi in mixed]
    return np.array(S), np.array(ST)


def exchanged(A: np.ndarray, B: np.ndarray) -> list:
    """Return the k samples A_B^(i), each (n, k)."""
    return [np.where(np.arange(A.shape[1]) == i, B, A) for i in range(A.shape[1])]


def sobol(f: Callable, A: np.ndarray, B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return S (k,) and ST (k,) of f; arguments as in the oracle."""
    fA, fB, *mixed = (np.array([f(x) for x in points]) for points in (A, B, *exchanged(A, B)))
    return estimate(fA, fB, mixed)


def climate_indices(A: np.ndarray, B: np.ndarray, years: int) -> tuple[np.ndarray, np.ndarray]:
    """Return S (6,) and ST (6,) of the warming; arguments as in the oracle."""
    fA, fB, *mixed = (warming(LOW + (HIGH - LOW) * points, years) for points in (A, B, *exchanged(A, B)))
    return estimate(fA, fB, mixed)
