# dies by: wrong-answer
# Updates in place: the points above and to the left are already new (Gauss–Seidel, not the explicit step).
import numpy as np
from numba import njit


@njit
def sweep(T, r):
    for i in range(1, T.shape[0] - 1):
        for j in range(1, T.shape[1] - 1):
            T[i, j] += r * (T[i - 1, j] + T[i + 1, j] + T[i, j - 1] + T[i, j + 1] - 4.0 * T[i, j])


def heat_step_n(T, alpha, dx, dt, n):
    T = np.array(T, order="C")
    for _ in range(n):
        sweep(T, alpha * dt / dx**2)
    return T
