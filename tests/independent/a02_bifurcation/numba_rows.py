"""Numba: the step as r (x - x x), 256 orbits a block, whatever the compiler makes of it."""

import numpy as np
from numba import njit


@njit
def calc_attractor(out, r, x0=0.25, warmup=400):
    x = x0
    for _ in range(warmup):
        x = r * (x - x * x)
    for j in range(len(out)):
        out[j] = x
        x = r * (x - x * x)


@njit(fastmath={"contract"})
def fill(r, warmup, out):
    x = np.empty(256)
    c = np.empty(256)
    for first in range(0, len(r), 256):
        last = min(first + 256, len(r))
        x[:] = 0.25
        c[:] = 0.0
        c[: last - first] = r[first:last]
        for _ in range(warmup):
            for j in range(256):
                x[j] = c[j] * (x[j] - x[j] * x[j])
        for i in range(150):
            for j in range(last - first):
                out[first + j, i] = x[j]
            for j in range(256):
                x[j] = c[j] * (x[j] - x[j] * x[j])


def diagram(r, warmup=400):
    out = np.empty((r.shape[0], 150))
    fill(np.array(r), warmup, out)
    return out
