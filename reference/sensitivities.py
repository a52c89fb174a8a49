"""Oracle: derivatives of programs and of ecosystems, by complex steps.

For a function of real numbers that is computed by formulas, f(x + i delta) = f(x) + i delta f'(x) up to delta^2: with delta = 1e-30 the imaginary
part is the derivative to rounding, without any difference. Everything here is that, once for every input.

*Programs.* A straight-line program is a list of m instructions: op, two places a and b among the values before, a number c. Values are
v_j = x_a (op 0), c (1), v_a + v_b (2), v_a - v_b (3), v_a v_b (4), v_a / v_b (5), sin v_a (6), exp v_a (7), log v_a (8), sqrt v_a (9); the last is the result.

*Ecosystems.* Prey x and predators y with p = (alpha, beta, gamma, delta), 1/year:

    x' = x (alpha - beta y),    y' = y (delta x - gamma),

by n steps of the classical Runge–Kutta method of length dt, in years; derivatives are those of the numbers that this method returns. Counts, a
member and step of the augmented system (two states, eight derivatives): 268 flops, multiply-adds counted as two.

Source: A. Griewank, A. Walther, *Evaluating Derivatives*, SIAM 2008 (straight-line programs, dual numbers); J. R. R. A. Martins,
P. Sturdza, J. J. Alonso, *The complex-step derivative approximation*, ACM TOMS 29, 2003; lectures 8 and 10.
"""

import cmath
import operator

import numpy as np

TINY = 1e-30
INPUT, NUMBER, ADD, SUBTRACT, MULTIPLY, DIVIDE, SIN, EXP, LOG, SQRT = range(10)
_TWO = {ADD: operator.add, SUBTRACT: operator.sub, MULTIPLY: operator.mul, DIVIDE: operator.truediv}
_ONE = {SIN: cmath.sin, EXP: cmath.exp, LOG: cmath.log, SQRT: cmath.sqrt}


def run(op: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray, x: list) -> list:
    """Return all m values of a program for inputs of any kind of number."""
    v: list = []
    for what, i, j, number in zip(op.tolist(), a.tolist(), b.tolist(), c.tolist(), strict=True):
        if what == INPUT:
            v.append(x[i])
        elif what == NUMBER:
            v.append(number)
        elif what in _ONE:
            v.append(_ONE[what](v[i]))
        else:
            v.append(_TWO[what](v[i], v[j]))
    return v


def gradient(op: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray, x: np.ndarray) -> tuple[float, np.ndarray]:
    """Return a program's result and its derivatives (k,) by the inputs x (k,); op, a and b are whole numbers (m,), c is (m,)."""
    values = [complex(run(op, a, b, c, [xi + 1j * TINY * (i == k) for i, xi in enumerate(x.tolist())])[-1]) for k in range(max(len(x), 1))]
    return values[0].real, np.array([v.imag / TINY for v in values])[: len(x)]


def march(p: np.ndarray, u0: np.ndarray, dt: float, n: int) -> np.ndarray:
    """Return prey and predators (n + 1, 2) at 0, dt, …, n dt; numbers may be complex."""

    def f(u: np.ndarray) -> np.ndarray:
        return np.array([u[0] * (p[0] - p[1] * u[1]), u[1] * (p[3] * u[0] - p[2])])

    rows = [np.array(u0, dtype=np.asarray(p).dtype)]
    for _ in range(n):
        u = rows[-1]
        k1 = f(u)
        k2 = f(u + dt / 2 * k1)
        k3 = f(u + dt / 2 * k2)
        k4 = f(u + dt * k3)
        rows.append(u + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return np.array(rows)


def sens(p: np.ndarray, u0: np.ndarray, dt: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return states (n + 1, 2) and their derivatives (n + 1, 2, 4) by alpha, beta, gamma, delta."""
    moved = [march(p + 1j * TINY * np.eye(4)[k], u0, dt, n) for k in range(4)]
    return moved[0].real, np.stack([u.imag for u in moved], axis=2) / TINY


def ensemble(P: np.ndarray, u0: np.ndarray, dt: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return states (m, 2) and derivatives (m, 2, 4) after n steps, for every row of P (m, 4)."""
    both = [sens(p, u0, dt, n) for p in P]
    return np.array([u[-1] for u, _ in both]).reshape(-1, 2), np.array([d[-1] for _, d in both]).reshape(-1, 2, 4)


def fit(data: np.ndarray, u0: np.ndarray, dt: float, p0: np.ndarray) -> np.ndarray:
    """Return p (4,) of the least sum of squares |march - data|^2 near p0, for data (n + 1, 2), by damped Gauss–Newton steps."""
    p, damping = p0, 1e-3
    for _ in range(100):
        u, D = sens(p, u0, dt, len(data) - 1)
        r, J = (u - data).ravel(), D.reshape(-1, 4)
        A = J.T @ J
        step = np.linalg.solve(A + damping * np.diag(np.diag(A)), -J.T @ r)
        better = np.sum((march(p + step, u0, dt, len(data) - 1) - data) ** 2)
        if better <= r @ r:
            p, damping = p + step, damping / 10
        else:
            damping *= 10
        if np.abs(step).max() <= 1e-13 * np.abs(p).max():
            break
    return p
