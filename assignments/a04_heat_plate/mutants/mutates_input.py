# dies by: inputs-modified
# Steps the caller's array in place and returns a copy of it.
import numpy as np


def heat_step_n(T, alpha, dx, dt, n):
    r = alpha * dt / dx**2
    for _ in range(n):
        T[1:-1, 1:-1] += r * (T[2:, 1:-1] + T[:-2, 1:-1] + T[1:-1, 2:] + T[1:-1, :-2] - 4 * T[1:-1, 1:-1])
    return np.array(T)
