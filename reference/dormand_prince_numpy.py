"""Baseline: the fifth-order method of Dormand and Prince in whole-array NumPy.

Formula and arguments as in `dormand_prince`. The ensemble steps all members at once, one array of length m for every
quantity; each operator makes a temporary array: some 150 array operations a step. With m = 20 000 an array has 160 kB, so
that operands come from the second cache level and go back there, 24 bytes for every flop.
"""

from collections.abc import Callable

import numpy as np

C = (0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1)
A = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
)
B = (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84)


def dp5(f: Callable, u0: np.ndarray, p: np.ndarray, t0: float, dt: float, n: int) -> np.ndarray:
    """Return the states (n + 1, d) of n steps of length dt; arguments as in the oracle."""
    u = [np.array(u0)]
    for i in range(n):
        k = []
        for c, row in zip(C, A, strict=True):
            k.append(f(u[i] + dt * sum((a * ki for a, ki in zip(row, k, strict=True)), 0 * u[i]), p, t0 + (i + c) * dt))
        u.append(u[i] + dt * sum(b * ki for b, ki in zip(B, k, strict=True)))
    return np.array(u)


def ensemble(u0: np.ndarray, P: np.ndarray, dt: float, n: int) -> np.ndarray:
    """Return prey and predators (m, 2) after n steps of Lotka–Volterra; arguments as in the oracle."""
    alpha, beta, gamma, delta = P.T
    start = np.repeat(np.asarray(u0)[:, None], len(P), axis=1)

    def f(u, p, t):
        return np.array([u[0] * (alpha - beta * u[1]), u[1] * (delta * u[0] - gamma)])

    u = start
    for _ in range(n):
        u = dp5(f, u, P, 0.0, dt, 1)[1]
    return u.T.copy()
