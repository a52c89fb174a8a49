# dies by: wrong-answer
# All steps at once in sine space, with the slowly decaying half of the modes only, and a rim assumed to be zero.
import numpy as np


def sines(count, kept):
    k = np.arange(1, kept + 1)
    return np.sqrt(2.0 / (count + 1)) * np.sin(np.pi * np.outer(np.arange(1, count + 1), k) / (count + 1))


def heat_step_n(T, alpha, dx, dt, n):
    out = np.array(T)
    ny, nx = T.shape[0] - 2, T.shape[1] - 2
    if ny < 1 or nx < 1 or n == 0:
        return out
    r = alpha * dt / dx**2
    a, b = sines(ny, (ny + 1) // 2), sines(nx, (nx + 1) // 2)
    ky = np.sin(0.5 * np.pi * np.arange(1, a.shape[1] + 1) / (ny + 1)) ** 2
    kx = np.sin(0.5 * np.pi * np.arange(1, b.shape[1] + 1) / (nx + 1)) ** 2
    out[1:-1, 1:-1] = a @ ((1 - 4 * r * (ky[:, None] + kx)) ** n * (a.T @ T[1:-1, 1:-1] @ b)) @ b.T
    return out
