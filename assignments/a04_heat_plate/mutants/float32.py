# dies by: wrong-answer
# Works in single precision: half the bytes, six digits.
import numpy as np
from numba import njit


@njit(fastmath=True)
def step(old, new, r):
    for i in range(1, old.shape[0] - 1):
        for j in range(1, old.shape[1] - 1):
            new[i, j] = old[i, j] + r * (old[i - 1, j] + old[i + 1, j] + old[i, j - 1] + old[i, j + 1] - np.float32(4) * old[i, j])


def heat_step_n(T, alpha, dx, dt, n):
    old = np.array(T, dtype=np.float32, order="C")
    new = old.copy()
    for _ in range(n):
        step(old, new, np.float32(alpha * dt / dx**2))
        old, new = new, old
    return old.astype(np.float64)
