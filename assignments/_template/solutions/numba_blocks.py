"""Sixty-four accumulators at a time in local variables of an inner function, compiled by Numba."""

import numpy as np
from numba import njit

WIDTH = 64


@njit(fastmath=True, error_model="numpy")
def _lanes(c, x, out):
    p = np.empty(WIDTH)
    whole = x.size - x.size % WIDTH
    for start in range(0, whole, WIDTH):
        for v in range(WIDTH):
            p[v] = 0.0
        for j in range(c.size - 1, -1, -1):
            factor = c[j]
            for v in range(WIDTH):
                p[v] = p[v] * x[start + v] + factor
        for v in range(WIDTH):
            out[start + v] = p[v]
    for i in range(whole, x.size):
        last = 0.0
        for j in range(c.size - 1, -1, -1):
            last = last * x[i] + c[j]
        out[i] = last


def evaluate(c, x):
    x = np.ascontiguousarray(x)
    out = np.empty_like(x)
    _lanes(np.ascontiguousarray(c), x, out)
    return out
