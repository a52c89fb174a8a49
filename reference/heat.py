"""Oracle: explicit heat conduction in a plate whose rim keeps its temperature.

    dT/dt = alpha (d2T/dx2 + d2T/dy2)                                       alpha in m2/s, T in K

The plate is sampled on ny × nx points, the same spacing dx (m) both ways. One step of length dt (s) is

    T'[i,j] = T[i,j] + r (T[i-1,j] + T[i+1,j] + T[i,j-1] + T[i,j+1] - 4 T[i,j]),    r = alpha dt / dx2

for the points inside; the outermost ring of points never changes (Dirichlet). A plate
thinner than 3 points is all ring.

Counts: 7 flops a point and step as written, 6 with (1 - 4r) formed before; 16 bytes a point and step (one read, one write) if rows wait in cache.
Stability: r <= 1/4. Then a new value is a weighted mean of old ones: no new extremes, and rounding errors only add up.
Exact solutions on the grid: the sine modes of `mode_factor`.

Source: the forward-time, centred-space scheme, in every textbook (R. J. LeVeque, *Finite Difference Methods for
Ordinary and Partial Differential Equations*, SIAM 2007, chapter 9).
"""

import math

import numpy as np


def heat_step_n(T: np.ndarray, alpha: float, dx: float, dt: float, n: int) -> np.ndarray:
    """Advance a plate by n explicit steps, point by point, as the formula reads.

    Args:
        T: Temperatures, shape (ny, nx), K. Not modified.
        alpha: Thermal diffusivity, m2/s.
        dx: Grid spacing in both directions, m.
        dt: Length of a step, s.
        n: Number of steps, >= 0.

    Returns:
        Temperatures after n steps, shape (ny, nx), K.
    """
    ny, nx = T.shape
    r = alpha * dt / dx**2
    old = [[float(value) for value in row] for row in T]
    for _ in range(n):
        new = [row[:] for row in old]
        for i in range(1, ny - 1):
            for j in range(1, nx - 1):
                neighbours = old[i - 1][j] + old[i + 1][j] + old[i][j - 1] + old[i][j + 1]
                new[i][j] = old[i][j] + r * (neighbours - 4.0 * old[i][j])
        old = new
    return np.array(old, dtype=np.float64).reshape(ny, nx)


def mode(ny: int, nx: int, q: int, p: int) -> np.ndarray:
    """Return the sine mode with q half waves along y and p along x, zero on the ring, shape (ny, nx)."""
    rows = np.sin(math.pi * q * np.arange(ny) / (ny - 1))
    columns = np.sin(math.pi * p * np.arange(nx) / (nx - 1))
    # sin(pi q) is 1e-16 in floating point, and the ring is zero.
    rows[[0, -1]] = 0.0
    columns[[0, -1]] = 0.0
    return np.outer(rows, columns)


def mode_factor(ny: int, nx: int, q: int, p: int, r: float) -> float:
    """Return the factor by which one explicit step multiplies `mode(ny, nx, q, p)`, exactly.

    The mode is an eigenvector of the five-point stencil; its eigenvalue is -4 (sin2 + sin2) of half the angle a cell.
    """
    y = math.sin(0.5 * math.pi * q / (ny - 1)) ** 2
    x = math.sin(0.5 * math.pi * p / (nx - 1)) ** 2
    return 1.0 - 4.0 * r * (x + y)
