# dies by: wrong-answer
# Caches by shape and parameters, as if plates of one size were all alike.
import numpy as np

cache = {}


def heat_step_n(T, alpha, dx, dt, n):
    key = (T.shape, n)
    if key not in cache:
        T = np.array(T)
        for _ in range(n):
            T[1:-1, 1:-1] = T[1:-1, 1:-1] + alpha * dt / dx**2 * (
                T[2:, 1:-1] + T[:-2, 1:-1] + T[1:-1, 2:] + T[1:-1, :-2] - 4 * T[1:-1, 1:-1]
            )
        cache[key] = T
    return cache[key].copy()
