"""Oracle: the fifth-order method of Dormand and Prince with a fixed step, and Lotka–Volterra for many parameters.

    du/dt = f(u, p, t);   k_i = f(u + dt sum_{j<i} a_ij k_j, p, t + c_i dt);   u' = u + dt sum_i b_i k_i

u, p, t and dt in whatever units f means; dt may be negative. Six stages make the fifth-order step. A seventh, at the new
point, is the first of the next step (FSAL) and serves the embedded fourth-order row, which is *not* what is advanced
here. Not to be confused with Dormand and Prince's 4(5) pairs that advance the lower order, nor with Fehlberg's.

Lotka–Volterra, with parameters p = (alpha, beta, gamma, delta), all 1/time if populations are plain numbers:

    dx/dt = x (alpha - beta y)   (prey),      dy/dt = y (delta x - gamma)   (predators)

- `dp5` and `ensemble` step as the formula reads, number by number.
- `stability` is what a step multiplies u by for u' = z u / dt: 1 + z + … + z^5/120 + z^6/600. The last term shows the
  order: the exponential has 1/720.

Counts, a step: 20 products with dt a_ij or dt b_i and as many sums for every component, and six evaluations of f; for
Lotka–Volterra 6 flops each, 116 in all. No memory traffic: a member is 6 numbers.
Stability: |R(z)| <= 1, on the negative real axis to z = -3.31, on the imaginary axis to |z| = 0.99.

Source: J. R. Dormand, P. J. Prince, *A family of embedded Runge–Kutta formulae*, J. Comput. Appl. Math. 6 (1980) 19–26;
E. Hairer, S. P. Nørsett, G. Wanner, *Solving Ordinary Differential Equations I*, 2nd ed., Springer 1993, table II.5.2.
"""

import math
from collections.abc import Callable

import numpy as np

C = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0)
A: tuple[tuple[float, ...], ...] = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
)
B = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84)

Rhs = Callable[[np.ndarray, np.ndarray, float], np.ndarray]


def dp5(f: Rhs, u0: np.ndarray, p: np.ndarray, t0: float, dt: float, n: int) -> np.ndarray:
    """Take n steps of length dt.

    Args:
        f: Right-hand side f(u, p, t), shape (d,).
        u0: State at t0, shape (d,). Not modified.
        p: Parameters, shape (q,), handed to f as they are.
        t0: Time of the first row.
        dt: Length of a step, of either sign.
        n: Number of steps, >= 0.

    Returns:
        States at t0, t0 + dt, …, t0 + n dt, shape (n + 1, d).
    """
    rows = [np.array(u0, dtype=np.float64)]
    for i in range(n):
        rows.append(step(f, rows[-1], p, t0 + i * dt, dt))
    return np.array(rows)


def step(f: Rhs, u: np.ndarray, p: np.ndarray, t: float, dt: float) -> np.ndarray:
    """Return the state (d,) after one step from u at t."""
    k: list[np.ndarray] = []
    for c, row in zip(C, A, strict=True):
        stage = [math.fsum([v, *(dt * a * slope[e] for a, slope in zip(row, k, strict=True))]) for e, v in enumerate(u)]
        k.append(np.array(f(np.array(stage), p, t + c * dt), dtype=np.float64))
    return np.array([math.fsum([v, *(dt * b * s[e] for b, s in zip(B, k, strict=True))]) for e, v in enumerate(u)])


def lotka_volterra(u: np.ndarray, p: np.ndarray, t: float) -> np.ndarray:
    """Return the rates of change (2,) of prey and predators; t is not used."""
    x, y = u
    alpha, beta, gamma, delta = p
    return np.array([x * (alpha - beta * y), y * (delta * x - gamma)])


def ensemble(u0: np.ndarray, P: np.ndarray, dt: float, n: int) -> np.ndarray:
    """Return prey and predators after n steps, for every parameter vector.

    Args:
        u0: Prey and predators at the start, shape (2,), the same for all members.
        P: Parameters alpha, beta, gamma, delta, one member a row, shape (m, 4). Not modified.
        dt: Length of a step, of either sign.
        n: Number of steps, >= 0.

    Returns:
        Populations at time n dt, shape (m, 2).
    """
    return np.array([dp5(lotka_volterra, u0, p, 0.0, dt, n)[-1] for p in P], dtype=np.float64).reshape(len(P), 2)


def stability(z: complex) -> complex:
    """Return R(z), the factor by which one step multiplies the solution of u' = z u / dt."""
    return 1 + z * (1 + z * (1 / 2 + z * (1 / 6 + z * (1 / 24 + z * (1 / 120 + z / 600)))))
