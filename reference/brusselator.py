"""Oracle: the Brusselator on a line and Robertson's reaction, by a linearly implicit step of second order.

    (1 - gamma dt J) k1 = f(y),   (1 - gamma dt J) k2 = f(y + dt k1) - 2 k1,   y' = y + dt (3 k1 + k2) / 2

with J = df/dy at the old y and gamma = 1 - 1/sqrt 2: ROS2, a Rosenbrock method. No Newton iteration, so no tolerance:
the answer is defined to rounding. It stays of second order with any other matrix for J, but gives other numbers. Not to
be confused with the same formula for gamma = 1 + 1/sqrt 2, which has a larger error, nor with SDIRK2, which iterates.

The Brusselator, with N interior points of [0, 1] at the distance dx = 1 / (N + 1), species u and v, dimensionless:

    du_i/dt = A + u_i^2 v_i - (B + 1) u_i + D (u_(i-1) - 2 u_i + u_(i+1)) / dx^2
    dv_i/dt =     B u_i - u_i^2 v_i       + D (v_(i-1) - 2 v_i + v_(i+1)) / dx^2,    u = A, v = B / A at both ends

A > 0 and B are fixed concentrations, D >= 0 the diffusivity (length^2/time); y = (u_1, v_1, u_2, v_2, ...), m = 2N.
Interleaved so, J has five diagonals: entry i depends on entries i - 2 to i + 2.

Robertson, mass fractions y1 + y2 + y3 = 1, time in s, from (1, 0, 0):

    y1' = -0.04 y1 + 1e4 y2 y3,   y2' = 0.04 y1 - 1e4 y2 y3 - 3e7 y2^2,   y3' = 3e7 y2^2

- `rates`, `dense_jacobian`: right-hand side and exact Jacobian of the Brusselator.
- `slopes`, `ros2`: one step with a right-hand side and a Jacobian that are passed in; `solve` eliminates with row exchanges.
- `jacobian`, `step`, `robertson`, `brusselator`: what the assignment asks for, as the formula reads.

Counts, a cell and step, for elimination by 2x2 blocks with off-diagonal blocks -gamma dt D / dx^2: 17 flops for each of two
right-hand sides, 12 for the diagonal block, 16 for its elimination and inverse, 20 for each of two sweeps down and up, 16
for the states: 118 flops, and no traffic beyond the caches. Dense elimination needs 16 N^2 / 3 a cell instead.
Stability: L-stable, R(z) = (1 + (1 - 2 gamma) z) / (1 - gamma z)^2; explicit steps would need dt < dx^2 / (2 D).
1 - gamma dt J is column diagonally dominant, so that elimination needs no exchanges, if gamma dt (4 u v - 2 B - 1) < 1.

Source: E. Hairer, G. Wanner, *Solving Ordinary Differential Equations II*, 2nd ed., Springer 1996, IV.1, IV.7, IV.10;
J. G. Verwer, E. J. Spee, J. G. Blom, W. Hundsdorfer, *A second-order Rosenbrock method applied to photochemical dispersion
problems*, SIAM J. Sci. Comput. 20 (1999) 1456-1480; H. H. Robertson, in *Numerical Analysis*, Academic Press 1966, 178-182.
"""

import math
from collections.abc import Callable

import numpy as np

GAMMA = 1.0 - 1.0 / math.sqrt(2.0)

Rhs = Callable[[np.ndarray], np.ndarray]


def rates(y: np.ndarray, A: float, B: float, D: float) -> np.ndarray:
    """Return dy/dt, shape (2N,), of the Brusselator at y = (u_1, v_1, u_2, ...)."""
    n = len(y) // 2
    strength = D * (n + 1) ** 2
    u, v = [A, *y[0::2], A], [B / A, *y[1::2], B / A]
    out = np.empty(2 * n)
    for i in range(1, n + 1):
        reaction = u[i] * u[i] * v[i]
        out[2 * i - 2] = A + reaction - (B + 1.0) * u[i] + strength * (u[i - 1] - 2.0 * u[i] + u[i + 1])
        out[2 * i - 1] = B * u[i] - reaction + strength * (v[i - 1] - 2.0 * v[i] + v[i + 1])
    return out


def dense_jacobian(y: np.ndarray, A: float, B: float, D: float) -> np.ndarray:
    """Return the exact Jacobian (2N, 2N) of `rates`, row i holding the derivatives of entry i."""
    n = len(y) // 2
    strength = D * (n + 1) ** 2
    J = np.zeros((2 * n, 2 * n))
    for i in range(n):
        u, v = y[2 * i], y[2 * i + 1]
        J[2 * i, 2 * i] = 2.0 * u * v - (B + 1.0) - 2.0 * strength
        J[2 * i, 2 * i + 1] = u * u
        J[2 * i + 1, 2 * i] = B - 2.0 * u * v
        J[2 * i + 1, 2 * i + 1] = -u * u - 2.0 * strength
    for i in range(2 * n - 2):
        J[i, i + 2] = J[i + 2, i] = strength
    return J


def solve(M: np.ndarray, *sides: np.ndarray) -> list[np.ndarray]:
    """Return x with M x = b for every right-hand side b (m,), by Gaussian elimination with row exchanges.

    Works in the precision of M.
    """
    m = len(M)
    T = np.column_stack([M, *sides])
    for j in range(m):
        best = j + int(np.argmax(np.abs(T[j:, j])))
        T[[j, best]] = T[[best, j]]
        for i in range(j + 1, m):
            if T[i, j] != 0.0:
                T[i, j:] -= T[i, j] / T[j, j] * T[j, j:]
    x = T[:, m:]
    for j in range(m - 1, -1, -1):
        x[j] = (x[j] - T[j, j + 1 : m] @ x[j + 1 :]) / T[j, j]
    return list(x.T)


def slopes(y: np.ndarray, dt: float, rhs: Rhs, J: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return k1 and k2 (m,) of a step of length dt from y, where J (m, m) is the Jacobian of rhs at y."""
    M = np.eye(len(y), dtype=y.dtype) - GAMMA * dt * J
    (k1,) = solve(M, rhs(y))
    (k2,) = solve(M, rhs(y + dt * k1) - 2.0 * k1)
    return k1, k2


def ros2(y: np.ndarray, dt: float, rhs: Rhs, J: np.ndarray) -> np.ndarray:
    """Return the state (m,) after one step; arguments as in `slopes`."""
    k1, k2 = slopes(y, dt, rhs, J)
    return y + dt * (1.5 * k1 + 0.5 * k2)


def jacobian(y: np.ndarray, rhs: Rhs) -> np.ndarray:
    """Return the five diagonals of the Jacobian by forward differences, one column after another (m + 1 evaluations).

    Args:
        y: State, shape (m,). Not modified.
        rhs: Function of the state, shape (m,); entry i depends on entries i - 2 to i + 2 alone.

    Returns:
        Diagonals, shape (5, m): derivative of entry i with respect to entry j in [2 + i - j, j], 0 where there is none.
    """
    m = len(y)
    base = rhs(y)
    out = np.zeros((5, m))
    for j in range(m):
        moved = np.array(y, dtype=np.float64)
        h = 2.0**-26 * max(1.0, abs(moved[j]))
        moved[j] += h
        column = (rhs(moved) - base) / h
        for i in range(max(0, j - 2), min(m, j + 3)):
            out[2 + i - j, j] = column[i]
    return out


def unpack(bands: np.ndarray) -> np.ndarray:
    """Return the matrix (m, m) whose diagonals are given as `jacobian` returns them."""
    m = bands.shape[1]
    J = np.zeros((m, m))
    for j in range(m):
        for i in range(max(0, j - 2), min(m, j + 3)):
            J[i, j] = bands[2 + i - j, j]
    return J


def step(y: np.ndarray, dt: float, n: int, rhs: Rhs) -> np.ndarray:
    """Take n steps of length dt with differences for the Jacobian.

    Args:
        y: State at the start, shape (m,). Not modified.
        dt: Length of a step, >= 0.
        n: Number of steps, >= 0.
        rhs: Function of the state as in `jacobian`.

    Returns:
        States at 0, dt, ..., n dt, shape (n + 1, m).
    """
    rows = [np.array(y, dtype=np.float64)]
    for _ in range(n):
        rows.append(ros2(rows[-1], dt, rhs, unpack(jacobian(rows[-1], rhs))))
    return np.array(rows)


def robertson_rates(y: np.ndarray) -> np.ndarray:
    """Return dy/dt (3,) of Robertson's reaction, 1/s, in the precision of y."""
    slow, back, fast = y.dtype.type("0.04") * y[0], 10000 * y[1] * y[2], 30000000 * y[1] * y[1]
    return np.array([back - slow, slow - back - fast, fast])


def robertson_jacobian(y: np.ndarray) -> np.ndarray:
    """Return the exact Jacobian (3, 3) of `robertson_rates`."""
    slow, fast = y.dtype.type("0.04"), 60000000 * y[1]
    return np.array(
        [[-slow, 10000 * y[2], 10000 * y[1]], [slow, -10000 * y[2] - fast, -10000 * y[1]], [0 * fast, fast, 0 * fast]]
    )


def robertson(t: np.ndarray) -> np.ndarray:
    """Return the mass fractions at the times t, one step of ROS2 from each to the next.

    Args:
        t: Times in s, ascending, shape (k,); the first is the time of the state (1, 0, 0).

    Returns:
        Mass fractions, shape (k, 3).
    """
    rows = [np.array([1.0, 0.0, 0.0])][: len(t)]
    for i in range(len(t) - 1):
        rows.append(ros2(rows[i], t[i + 1] - t[i], robertson_rates, robertson_jacobian(rows[i])))
    return np.array(rows).reshape(len(t), 3)


def brusselator(y: np.ndarray, A: float, B: float, D: float, dt: float, n: int) -> np.ndarray:
    """Return the state after n steps of the Brusselator with its exact Jacobian.

    Args:
        y: Concentrations (u_1, v_1, u_2, v_2, ...) at the start, shape (2N,), N >= 1. Not modified.
        A: Concentration that feeds u, > 0.
        B: Concentration that turns u into v.
        D: Diffusivity, >= 0.
        dt: Length of a step, >= 0.
        n: Number of steps, >= 0.

    Returns:
        Concentrations at time n dt, shape (2N,).
    """
    y = np.array(y, dtype=np.float64)
    for _ in range(n):
        y = ros2(y, dt, lambda x: rates(x, A, B, D), dense_jacobian(y, A, B, D))
    return y
