"""No steps at all: the plate is the steady state of its ring and sine modes, each multiplied by its own factor to the n."""

import numpy as np
from scipy.fft import dstn, idstn


def heat_step_n(T, alpha, dx, dt, n):
    T = np.array(T, dtype=np.float64, order="C")
    ny, nx = T.shape
    if ny < 3 or nx < 3 or n == 0:
        return T
    r = alpha * dt / dx**2
    q, p = np.arange(1, ny - 1)[:, None], np.arange(1, nx - 1)[None, :]
    bend = 4 * (np.sin(np.pi * q / 2 / (ny - 1)) ** 2 + np.sin(np.pi * p / 2 / (nx - 1)) ** 2)
    level = T.mean()
    ring = T - level
    ring[1:-1, 1:-1] = 0.0
    pull = ring[:-2, 1:-1] + ring[2:, 1:-1] + ring[1:-1, :-2] + ring[1:-1, 2:]
    steady = dstn(pull, type=1) / bend
    modes = dstn(T[1:-1, 1:-1] - level, type=1)
    T[1:-1, 1:-1] = level + idstn(steady + (modes - steady) * (1 - r * bend) ** n, type=1)
    return T
