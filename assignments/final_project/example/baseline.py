"""Gray–Scott on a torus as the formula reads: whole arrays, one expression a term.

    du/dt = Du lap u - u v^2 + F (1 - u)
    dv/dt = Dv lap v + u v^2 - (F + k) v

with Du = 0.16, Dv = 0.08, dx = dt = 1 (dimensionless) and the five-point Laplacian. Explicit Euler is stable for
4 Du dt / dx^2 <= 1. Source: P. Gray and S. K. Scott, Chemical Engineering Science 39 (1984); J. E. Pearson, Science 261 (1993).
"""

import numpy as np

DU, DV = 0.16, 0.08


def laplacian(a):
    """Of an array on a torus, per cell squared."""
    return np.roll(a, 1, 0) + np.roll(a, -1, 0) + np.roll(a, 1, 1) + np.roll(a, -1, 1) - 4.0 * a


def react(u, v, feed, kill, steps):
    """Both concentrations, (ny, nx), after so many steps."""
    u, v = u.copy(), v.copy()
    for _ in range(steps):
        uvv = u * v * v
        u, v = (
            u + DU * laplacian(u) - uvv + feed * (1.0 - u),
            v + DV * laplacian(v) + uvv - (feed + kill) * v,
        )
    return u, v
