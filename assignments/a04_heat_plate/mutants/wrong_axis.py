# dies by: wrong-answer
# Takes the second difference along y twice and never along x.
import numpy as np


def heat_step_n(T, alpha, dx, dt, n):
    T = np.array(T)
    for _ in range(n):
        T[1:-1, 1:-1] += 2 * alpha * dt / dx**2 * (T[2:, 1:-1] - 2 * T[1:-1, 1:-1] + T[:-2, 1:-1])
    return T
