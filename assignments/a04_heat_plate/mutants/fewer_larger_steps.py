# dies by: wrong-answer
# Halves the work: every two steps become one step of twice the length (first order in time, looks plausible).
import numpy as np
from numba import njit


@njit(fastmath=True)
def step(old, new, r):
    for i in range(1, old.shape[0] - 1):
        for j in range(1, old.shape[1] - 1):
            new[i, j] = old[i, j] + r * (old[i - 1, j] + old[i + 1, j] + old[i, j - 1] + old[i, j + 1] - 4.0 * old[i, j])


def heat_step_n(T, alpha, dx, dt, n):
    old = np.array(T, order="C")
    new = old.copy()
    r = alpha * dt / dx**2
    for _ in range(n // 2):
        step(old, new, 2 * r)
        old, new = new, old
    if n % 2:
        step(old, new, r)
        old = new
    return old
