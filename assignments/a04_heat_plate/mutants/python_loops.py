# dies by: timed-out
# Correct, in plain Python loops.
import numpy as np


def heat_step_n(T, alpha, dx, dt, n):
    ny, nx = T.shape
    r = alpha * dt / dx**2
    old = T.tolist()
    for _ in range(n):
        new = [row[:] for row in old]
        for i in range(1, ny - 1):
            for j in range(1, nx - 1):
                new[i][j] = old[i][j] + r * (old[i - 1][j] + old[i + 1][j] + old[i][j - 1] + old[i][j + 1] - 4 * old[i][j])
        old = new
    return np.array(old)
