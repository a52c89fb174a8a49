# dies by: too-slow
# Correct and compiled, but the inner loop runs across memory, down the columns.
import numpy as np
from numba import njit


@njit("void(f8[:,::1], f8[:,::1], f8)")
def step(old, new, r):
    for j in range(1, old.shape[1] - 1):
        for i in range(1, old.shape[0] - 1):
            new[i, j] = old[i, j] + r * (old[i - 1, j] + old[i + 1, j] + old[i, j - 1] + old[i, j + 1] - 4.0 * old[i, j])


def heat_step_n(T, alpha, dx, dt, n):
    old = np.array(T, order="C")
    new = old.copy()
    for _ in range(n):
        step(old, new, alpha * dt / dx**2)
        old, new = new, old
    return old
