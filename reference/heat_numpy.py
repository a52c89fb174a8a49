"""Baseline: the heat step in whole-array NumPy, one temporary array for every operator.

Formula, units and stability limit as in `heat`. Eight array operations a step, each of which streams one or two arrays
in and one out: about 170 bytes a point and step where 16 would do. A plate that does not fit into the inner caches
waits for memory.
"""

import numpy as np


def heat_step_n(T: np.ndarray, alpha: float, dx: float, dt: float, n: int) -> np.ndarray:
    """Advance a plate (ny, nx), K, by n explicit steps; arguments as in the oracle."""
    r = alpha * dt / dx**2
    T = T.copy()
    for _ in range(n):
        neighbours = T[:-2, 1:-1] + T[2:, 1:-1] + T[1:-1, :-2] + T[1:-1, 2:]
        T[1:-1, 1:-1] = T[1:-1, 1:-1] + r * (neighbours - 4.0 * T[1:-1, 1:-1])
    return T
