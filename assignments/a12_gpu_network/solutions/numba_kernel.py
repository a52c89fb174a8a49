"""A kernel in Numba: one thread for each state, weights in shared memory.

Numba asks the driver for every array anew; here the result of the last size is kept, and written again.
"""

import math

import numpy as np
from numba import cuda, float32

H = 50
THREADS = 128


@cuda.jit
def rates(U, p, out):
    w = cuda.shared.array(252, float32)
    for k in range(cuda.threadIdx.x, 252, THREADS):
        w[k] = p[k]
    cuda.syncthreads()
    i = cuda.grid(1)
    if i < U.shape[1]:
        x, y = U[0, i], U[1, i]
        x, y = x * x * x, y * y * y
        fx, fy = w[250], w[251]
        for h in range(H):
            s = math.tanh(w[2 * h] * x + w[2 * h + 1] * y + w[100 + h])
            fx += w[150 + h] * s
            fy += w[200 + h] * s
        out[0, i] = fx
        out[1, i] = fy


kept = {}


def nn_batch(U, p):
    B = U.shape[1]
    if B not in kept:
        kept.clear()
        kept[B] = cuda.device_array((2, B), np.float32)
    out = kept[B]
    if B:
        rates[(B + THREADS - 1) // THREADS, THREADS](U, p, out)
    return out


nn_batch(np.zeros((2, 1), np.float32), np.zeros(252, np.float32))  # compiles; host arrays are copied for once
