"""Numba: a fixed grid whose threads stride over the states, two at a time; tanh from expm1 of a negative number."""

import math

import numpy as np
from numba import cuda, float32

UNITS, THREADS = 50, 64
MOST_BLOCKS = 4096


@cuda.jit(device=True)
def tanh(z):
    e = math.expm1(float32(-2.0) * abs(z))
    return math.copysign(-e / (e + float32(2.0)), z)


@cuda.jit(device=True)
def cube(x):
    return x * x * x


@cuda.jit
def evaluate(U, p, rates):
    table = cuda.shared.array((50, 5), float32)
    for h in range(cuda.threadIdx.x, UNITS, cuda.blockDim.x):
        table[h, 0], table[h, 1], table[h, 2] = p[2 * h], p[2 * h + 1], p[100 + h]
        table[h, 3], table[h, 4] = p[150 + h], p[200 + h]
    cuda.syncthreads()
    B, step = U.shape[1], cuda.gridsize(1)
    i = cuda.grid(1)
    while i < B:
        j = i + step if i + step < B else i
        xi, yi, xj, yj = cube(U[0, i]), cube(U[1, i]), cube(U[0, j]), cube(U[1, j])
        xi_rate, yi_rate = p[250], p[251]
        xj_rate, yj_rate = p[250], p[251]
        for h in range(UNITS):
            si = tanh(table[h, 0] * xi + table[h, 1] * yi + table[h, 2])
            sj = tanh(table[h, 0] * xj + table[h, 1] * yj + table[h, 2])
            xi_rate += table[h, 3] * si
            yi_rate += table[h, 4] * si
            xj_rate += table[h, 3] * sj
            yj_rate += table[h, 4] * sj
        rates[0, i], rates[1, i], rates[0, j], rates[1, j] = xi_rate, yi_rate, xj_rate, yj_rate
        i += 2 * step


def nn_batch(U, p):
    B = U.shape[1]
    rates = cuda.device_array((2, B), dtype=np.float32)
    if B:
        evaluate[min((B + 2 * THREADS - 1) // (2 * THREADS), MOST_BLOCKS), THREADS](U, p, rates)
    return rates


nn_batch(np.ones((2, 3), dtype=np.float32), np.ones(252, dtype=np.float32))
