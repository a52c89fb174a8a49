"""Baseline: Hamiltonian Monte Carlo in whole-array NumPy, all chains take a step together.

Formula, units and arguments as in `hmc`. The gradient comes by forward sensitivities: S, I and their derivatives by log beta and log gamma
are six arrays of m numbers; a step makes some twenty temporaries. With m = 512 an array has 4 kB and an operation takes a microsecond,
most of which is Python.
"""

from collections.abc import Callable

import numpy as np

CENTRE = np.log([0.4, 0.15])


def epidemics(theta: np.ndarray, data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return U (m,) and its gradients (m, 2) for each row of theta (m, 2); arguments as in the oracle."""
    beta, gamma = np.exp(theta.T) / 4
    S, I = np.full(len(theta), 0.99), np.full(len(theta), 0.01)
    dS, dI = np.zeros((2, len(theta))), np.zeros((2, len(theta)))
    own = np.eye(2)[:, :, None]
    away = theta - CENTRE
    U, slope = (away**2).sum(axis=1) / 0.5, (away / 0.25).T
    for y in data:
        for _ in range(4):
            f, r = beta * S * I, gamma * I
            df, dr = own[0] * f + beta * (dS * I + S * dI), own[1] * r + gamma * dI
            S, I, dS, dI = S - f, I + (f - r), dS - df, dI + (df - dr)
        U = U + (I - y) ** 2 / 0.0008
        slope = slope + (I - y) / 0.0004 * dI
    return U, slope.T


def epidemic(theta: np.ndarray, data: np.ndarray) -> tuple[float, np.ndarray]:
    """Return U and its gradient (2,); arguments as in the oracle."""
    U, slope = epidemics(theta[None], data)
    return float(U[0]), slope[0]


def leapfrog(f: Callable, q: np.ndarray, p: np.ndarray, eps: float, L: int) -> tuple[np.ndarray, np.ndarray]:
    """Return position and momentum after L steps; arguments as in the oracle."""
    p = p - eps / 2 * f(q)[1]
    for step in range(L):
        q = q + eps * p
        p = p - eps / (1 + (step == L - 1)) * f(q)[1]
    return q, p


def _sample(f: Callable, q: np.ndarray, eps: float, L: int, P: np.ndarray, w: np.ndarray) -> list:
    """Return the samples of many chains: q is (m, d), P (n, m, d), w (n, m)."""
    (U, slope), out = f(q), []
    for p, limit in zip(P, np.log(w), strict=True):
        end, H = q, U + (p * p).sum(axis=1) / 2
        now, U1, p = slope, U, p.copy()
        for step in range(L):
            p -= eps / (1 + (step == 0)) * now
            end = end + eps * p
            U1, now = f(end)
        p -= eps / 2 * now
        taken = limit < H - U1 - (p * p).sum(axis=1) / 2
        q, slope = np.where(taken[:, None], end, q), np.where(taken[:, None], now, slope)
        U = np.where(taken, U1, U)
        out.append(q)
    return out


def hmc(f: Callable, q0: np.ndarray, eps: float, L: int, P: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return n samples (n, d); arguments as in the oracle."""
    one = _sample(lambda q: tuple(np.asarray(v)[None] for v in f(q[0])), q0[None], eps, L, P[:, None], w[:, None])
    return np.array(one).reshape(P.shape)


def chains(Q0: np.ndarray, eps: float, L: int, P: np.ndarray, w: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Return the samples (m, n, 2) of m chains; arguments as in the oracle."""
    found = _sample(lambda q: epidemics(q, data), Q0, eps, L, P.transpose(1, 0, 2), w.T)
    return np.array(found).reshape(P.shape[1], P.shape[0], 2).transpose(1, 0, 2).copy()
