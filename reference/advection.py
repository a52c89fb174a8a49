"""Oracle: a tracer that is carried by a steady wind and mixed, on a belt around the Earth: periodic in x, walls in y.

    dC/dt + u dC/dx + v dC/dy = K (d2C/dx2 + d2C/dy2)             C: any unit; u, v in m/s; K in m2/s; u, v, K constant

C[b, i, j] is the mean over cell (i, j) of member b: row i along y, column j along x, cells dx × dx metres. What leaves a cell
enters its neighbour (finite volumes). With u+ = max(u, 0), u- = min(u, 0), the flow through the face between column j - 1 and j,
and between row i - 1 and i, is

    F[i, j] = u+ C[i, j-1] + u- C[i, j] - K (C[i, j] - C[i, j-1]) / dx        column -1 is column nx - 1: periodic
    G[i, j] = v+ C[i-1, j] + v- C[i, j] - K (C[i, j] - C[i-1, j]) / dx        G[0, j] = G[ny, j] = 0: nothing passes a wall

(upwind for the wind, central for the mixing), and a step of dt seconds is

    C'[i, j] = C[i, j] - dt/dx (F[i, j+1] - F[i, j] + G[i+1, j] - G[i, j]).

The shares of a cell that go east, west, up and down in a step are

    e = r + c+,  w = r - c-,  n = r + d+,  s = r - d-,      c = u dt/dx,  d = v dt/dx,  r = K dt/dx2       (`shares`).

Stability: |c| + |d| + 4 r <= 1. Then no cell gives away more than it has: C stays non-negative, and the sum of |C| never grows. The
sum of C is conserved, exactly but for rounding. (There is no maximum principle: a wind that blows against a wall piles up.)
Exact solutions: `mode_factor` for v = 0; the profile (n/s)^i, uniform in x, is steady for any u: up as much as down.

Counts: 12 flops a cell and step as shares; 8 bytes a cell and step in single precision (one read, one write) if rows wait in cache:
as many as a copy moves.

Source: R. J. LeVeque, *Finite Volume Methods for Hyperbolic Problems*, Cambridge 2002, chapters 4 and 20.
"""

import cmath
import math

import numpy as np


def adv_diff(C: np.ndarray, u: float, v: float, K: float, dx: float, dt: float, n: int) -> np.ndarray:
    """Advance every member by n explicit steps in double precision, as the formula reads.

    Args:
        C: Cell means, shape (B, ny, nx). Not modified.
        u: Wind along x, towards higher j, m/s.
        v: Wind along y, towards higher i, m/s.
        K: Diffusivity, m2/s, >= 0.
        dx: Width and height of a cell, m.
        dt: Length of a step, s.
        n: Number of steps, >= 0.

    Returns:
        Cell means after n steps, shape (B, ny, nx), float64.
    """
    C = np.array(C, dtype=np.float64)
    members, ny, nx = C.shape
    for _ in range(n):
        west = np.roll(C, 1, axis=2)
        F = max(u, 0.0) * west + min(u, 0.0) * C - K * (C - west) / dx
        G = np.zeros((members, ny + 1, nx))
        below, above = C[:, :-1], C[:, 1:]
        G[:, 1:-1] = max(v, 0.0) * below + min(v, 0.0) * above - K * (above - below) / dx
        C = C - dt / dx * (np.roll(F, -1, axis=2) - F + G[:, 1:] - G[:, :-1])
    return C


def shares(u: float, v: float, K: float, dx: float, dt: float) -> tuple[float, float, float, float]:
    """Return the shares of a cell that go east, west, up and down in a step."""
    c, d, r = u * dt / dx, v * dt / dx, K * dt / dx**2
    return r + max(c, 0.0), r - min(c, 0.0), r + max(d, 0.0), r - min(d, 0.0)


def mode_factor(ny: int, nx: int, p: int, q: int, c: float, r: float) -> complex:
    """Return what a step multiplies exp(2 pi i q j / nx) cos(pi p (i + 1/2) / ny) by, for v = 0.

    The cosine has no slope at the walls; the exponential is periodic. Both are eigenvectors of their differences.
    """
    turn = cmath.exp(2j * math.pi * q / nx)
    across = (r + max(c, 0.0)) * (1.0 / turn - 1.0) + (r - min(c, 0.0)) * (turn - 1.0)
    return 1.0 + across + 2.0 * r * (math.cos(math.pi * p / ny) - 1.0)
