# dies by: wrong-answer
# needs: gpu
# A race between blocks: takes the sum up to the previous tile as if that block had finished (a simulator runs blocks in turn).
import numpy as np
from numba import cuda

THREADS = 256


@cuda.jit
def chain(x, through, y):
    sums = cuda.shared.array((2, THREADS), np.float32)
    me, block = cuda.threadIdx.x, cuda.blockIdx.x
    i = block * THREADS + me
    sums[0, me] = x[i] if i < x.shape[0] else np.float32(0)
    now, distance = 0, 1
    while distance < THREADS:
        cuda.syncthreads()
        value = sums[now, me]
        if me >= distance:
            value += sums[now, me - distance]
        now = 1 - now
        sums[now, me] = value
        distance *= 2
    cuda.syncthreads()
    before = through[block]
    if i < x.shape[0]:
        y[i] = before + sums[now, me]
    if me == 0:
        through[block + 1] = before + sums[now, THREADS - 1]


def scan(x):
    n = x.shape[0]
    y = cuda.device_array(n, np.float32)
    if n > 0:
        blocks = (n + THREADS - 1) // THREADS
        through = cuda.to_device(np.zeros(blocks + 1, np.float32))
        chain[blocks, THREADS](x, through, y)
    return y
