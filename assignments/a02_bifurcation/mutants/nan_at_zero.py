# dies by: not-finite
# Iterates z = r x and divides by r, which is 0/0 at r = 0.
import numpy as np
from numba import njit

LANES = 64


@njit
def orbit(out, r, x, warmup):
    for _ in range(warmup):
        x = r * x * (1.0 - x)
    for j in range(out.shape[0]):
        out[j] = x
        x = r * x * (1.0 - x)


@njit(fastmath={"contract"}, error_model="numpy")
def columns(r, warmup, out):
    z = np.empty(LANES)
    rate = np.empty(LANES)
    m = r.shape[0]
    for first in range(0, m, LANES):
        width = min(LANES, m - first)
        rate[:] = 1.0
        rate[:width] = r[first : first + width]
        z[:] = 0.25
        for _ in range(warmup // 4):
            for j in range(LANES):
                a, x = rate[j], z[j]
                x = a * x * (1.0 - x)
                x = a * x * (1.0 - x)
                x = a * x * (1.0 - x)
                x = a * x * (1.0 - x)
                z[j] = x
        for _ in range(warmup % 4):
            for j in range(LANES):
                z[j] = rate[j] * z[j] * (1.0 - z[j])
        for i in range(150):
            for j in range(width):
                out[first + j, i] = (rate[j] * z[j]) / rate[j]
            for j in range(LANES):
                z[j] = rate[j] * z[j] * (1.0 - z[j])


def calc_attractor(out, r, x0=0.25, warmup=400):
    orbit(out, r, x0, warmup)


def diagram(r, warmup=400):
    out = np.empty((len(r), 150))
    columns(np.ascontiguousarray(r), warmup, out)
    return out
