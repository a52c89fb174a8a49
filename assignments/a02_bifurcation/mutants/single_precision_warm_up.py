# dies by: wrong-answer
# Warms up in float32 and samples in float64, so that every residual looks right.
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


@njit(fastmath={"contract"})
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
                out[first + j, i] = z[j]
            for j in range(LANES):
                z[j] = rate[j] * z[j] * (1.0 - z[j])


@njit
def single(r, warmup, last):
    one = np.float32(1.0)
    for i in range(r.shape[0]):
        a, x = r[i], np.float32(0.25)
        for _ in range(warmup):
            x = a * x * (one - x)
        last[i] = x


@njit
def sample(r, start, out):
    for i in range(r.shape[0]):
        orbit(out[i], r[i], start[i], 0)


def calc_attractor(out, r, x0=0.25, warmup=400):
    orbit(out, r, x0, warmup)


def diagram(r, warmup=400):
    out = np.empty((len(r), 150))
    start = np.empty((len(r), 150))
    single(np.asarray(r, np.float32), warmup, start[:, 0])
    sample(np.ascontiguousarray(r), start[:, 0].copy(), out)
    return out
