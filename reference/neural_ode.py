"""Oracle: a neural ordinary differential equation, the gradient of its loss, and the spirals that it is to learn.

    du/dt = f(u, p) = W2 tanh(W1 u^3 + b1) + b2,    u^3 componentwise          u: state (2,), plain numbers; t: time, s

p holds W1 (50, 2) row by row, b1 (50,), W2 (2, 50) row by row and b2 (2,): 252 numbers. k recordings start at time 0 from
known states and are measured at the same m times; the loss is a sum over all of them,

    L(p) = sum_k sum_i |u_k(t_i) - data_ki|^2

- `pullback` knows no formula: it perturbs one number after the other by an imaginary 1e-30, without any cancellation.
- `adjoint_grad` knows no adjoint: it integrates the state together with its derivatives by all 252 parameters, forwards,

      dS/dt = (df/du) S + df/dp,    S(0) = 0,        gradient = 2 sum_k sum_i (u_k(t_i) - data_ki) . S_k(t_i)

  by the classical Runge–Kutta method with FINER times as many steps as the handout asks for, which leaves 1/4096 of its
  error. The two must not be confused: these are the derivatives of the exact solution, not those of a discrete one.
- `Spiral` is a system to learn. `held_out_error` rolls a network out from states that it has not seen.

Counts, a recording, step and unit of the adjoint: four tanh; 32 flops on the way there, 76 on the way back.
Stability: |R(z)| <= 1 as for any fourth-order method with four stages, on the negative real axis to z = -2.79.

Source: R. T. Q. Chen, Y. Rubanova, J. Bettencourt, D. Duvenaud, *Neural ordinary differential equations*, NeurIPS 2018
(the spiral of cubes and 50 units is theirs); L. S. Pontryagin et al., *The Mathematical Theory of Optimal Processes*, 1962
(adjoint); W. Squire, G. Trapp, SIAM Review 40 (1998) 110–112 (complex step).
"""

import math
from dataclasses import dataclass

import numpy as np

UNITS = 50
PARAMETERS = 5 * UNITS + 2
FINER = 8  # times the steps of the handout


def split(p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return W1 (50, 2), b1 (50,), W2 (2, 50) and b2 (2,), as views."""
    H = UNITS
    return p[: 2 * H].reshape(H, 2), p[2 * H : 3 * H], p[3 * H : 5 * H].reshape(2, H), p[5 * H :]


def network(u: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return f (…, 2) for states (…, 2)."""
    W1, b1, W2, b2 = split(p)
    return np.tanh(u**3 @ W1.T + b1) @ W2.T + b2


def pullback(y: np.ndarray, u: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return y^T df/du and y^T df/dp.

    Args:
        y: What multiplies from the left, shape (2,).
        u: State, shape (2,).
        p: Parameters, shape (252,).

    Returns:
        Two arrays, shapes (2,) and (252,).
    """
    by = []
    for length, start in ((2, 0), (PARAMETERS, 2)):
        row = np.empty(length)
        for j in range(length):
            moved = np.concatenate([u, p]).astype(np.complex128)
            moved[start + j] += 1e-30j
            row[j] = (y @ network(moved[:2], moved[2:])).imag / 1e-30
        by.append(row)
    return by[0], by[1]


def steepness(p: np.ndarray) -> float:
    """Return the largest norm of df/du, 1/s, over a grid of states up to 2 in magnitude: a Lipschitz constant of f there."""
    W1, b1, W2, _ = split(p)
    x = np.linspace(-2.0, 2.0, 17)
    u = np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2)
    jacobians = (W2 * (1.0 - np.tanh(u**3 @ W1.T + b1) ** 2)[:, None, :]) @ W1 * (3.0 * u * u)[:, None, :]
    return float(np.linalg.norm(jacobians, axis=(1, 2)).max())


def steps(t: np.ndarray, dt: float) -> list[tuple[int, float]]:
    """Return number and length of the steps before every measured time, from the time before, or from 0."""
    gaps = np.diff(t, prepend=0.0)
    counts = [math.ceil(gap / dt - 1e-9) for gap in gaps]
    return [(n, gap / max(n, 1)) for n, gap in zip(counts, gaps, strict=True)]


def _rates(u: np.ndarray, S: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return f (k, 2) and dS/dt (k, 2, 252) for states (k, 2) and their derivatives."""
    W1, b1, W2, b2 = split(p)
    v, H = u**3, UNITS
    s = np.tanh(v @ W1.T + b1)
    inner = W2 * (1.0 - s * s)[:, None, :]  # df/dz, (k, 2, H)
    rate = (inner @ W1 * (3.0 * u * u)[:, None, :]) @ S
    rate[:, :, : 2 * H] += (inner[..., None] * v[:, None, None, :]).reshape(len(u), 2, 2 * H)
    rate[:, :, 2 * H : 3 * H] += inner
    for i in range(2):
        rate[:, i, (3 + i) * H : (4 + i) * H] += s
        rate[:, i, 5 * H + i] += 1.0
    return s @ W2.T + b2, rate


def adjoint_grad(p: np.ndarray, u0: np.ndarray, t: np.ndarray, data: np.ndarray, dt: float) -> np.ndarray:
    """Return the gradient of the loss.

    Args:
        p: Parameters, shape (252,).
        u0: States at time 0, one recording a row, shape (k, 2).
        t: Measured times, >= 0, increasing by more than 1e-9 dt, shape (m,), s.
        data: What was measured, shape (k, m, 2).
        dt: Longest step that the handout allows, s; here an eighth of it is taken.

    Returns:
        Derivatives by every parameter, shape (252,).
    """
    u, S, gradient = u0.copy(), np.zeros((len(u0), 2, PARAMETERS)), np.zeros(PARAMETERS)
    for i, (n, h) in enumerate(steps(t, dt / FINER)):
        for _ in range(n):
            k1, s1 = _rates(u, S, p)
            k2, s2 = _rates(u + h / 2 * k1, S + h / 2 * s1, p)
            k3, s3 = _rates(u + h / 2 * k2, S + h / 2 * s2, p)
            k4, s4 = _rates(u + h * k3, S + h * s3, p)
            u, S = u + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), S + h / 6 * (s1 + 2 * s2 + 2 * s3 + s4)
        gradient += 2.0 * np.einsum("ke,kej->j", u - data[:, i], S)
    return gradient


@dataclass(frozen=True)
class Spiral:
    """du/dt = A g, g = v / sqrt(1 + v^2), v = u^3: cubes, with a speed that saturates; A = ((-decay, turn), (-turn, -decay)), 1/s."""

    decay: float
    turn: float

    def rates(self, u: np.ndarray) -> np.ndarray:
        """Return du/dt (…, 2)."""
        g = u**3 / np.sqrt(1.0 + u**6)
        x, y = g[..., 0], g[..., 1]
        return np.stack([self.turn * y - self.decay * x, -self.turn * x - self.decay * y], axis=-1)

    def record(self, u0: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Return the states (k, m, 2) at times t (m,) of recordings that start from u0 (k, 2) at time 0."""
        return roll(self.rates, u0, t)


TURNS = ((1.0, 1.4), (1.8, 2.2), (2.6, 3.0))  # 1/s; so far apart that none of them predicts another


def draw_spirals(rng: np.random.Generator) -> list[Spiral]:
    """Draw one system of every range of turns, in any order and direction."""
    ranges = rng.permutation(TURNS)
    return [Spiral(rng.uniform(0.05, 0.15), rng.choice([-1.0, 1.0]) * rng.uniform(*turn)) for turn in ranges]


def draw_states(rng: np.random.Generator, k: int) -> np.ndarray:
    """Draw k states (k, 2) between the radii 0.9 and 1.5."""
    angle, radius = rng.uniform(0.0, 2.0 * np.pi, k), rng.uniform(0.9, 1.5, k)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def held_out_error(p: np.ndarray, spiral: Spiral, u0: np.ndarray, t: np.ndarray) -> float:
    """Return the root mean square difference of roll-out and truth, over that of the truth; infinite where it is not finite."""
    truth = spiral.record(u0, t)
    with np.errstate(all="ignore"):
        wrong = np.sum((roll(lambda u: network(u, p), u0, t) - truth) ** 2)
    return float(np.sqrt(wrong / np.sum(truth**2))) if np.isfinite(wrong) else math.inf


def roll(f, u0: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return states (k, m, 2) by the classical method, in steps of a hundredth at most: errors below 1e-7."""
    u, rows = u0.copy(), []
    for n, h in steps(t, 0.01):
        for _ in range(n):
            k1 = f(u)
            k2 = f(u + h / 2 * k1)
            k3 = f(u + h / 2 * k2)
            u = u + h / 6 * (k1 + 2 * k2 + 2 * k3 + f(u + h * k3))
        rows.append(u)
    return np.stack(rows, axis=1)
