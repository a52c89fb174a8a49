# dies by: wrong-answer
# Wraps around at the rim (np.roll) instead of holding the rim's temperature.
import numpy as np


def heat_step_n(T, alpha, dx, dt, n):
    T = np.array(T)
    for _ in range(n):
        T = T + alpha * dt / dx**2 * (np.roll(T, 1, 0) + np.roll(T, -1, 0) + np.roll(T, 1, 1) + np.roll(T, -1, 1) - 4 * T)
    return T
