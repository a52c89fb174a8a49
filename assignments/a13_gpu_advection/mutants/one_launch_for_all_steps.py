# dies by: wrong-answer
# A race between steps: all of them in one launch, with a barrier that holds for a block only.
import numpy as np
from numba import cuda


@cuda.jit
def all_steps(one, two, n, e, w, a, s):
    b, ny, nx = cuda.blockIdx.z, one.shape[1], one.shape[2]
    i = cuda.blockIdx.y * 8 + cuda.threadIdx.y
    j = cuda.blockIdx.x * 32 + cuda.threadIdx.x
    for _ in range(n):
        if i < ny and j < nx:
            here = one[b, i, j]
            change = e * (one[b, i, (j + nx - 1) % nx] - here) + w * (one[b, i, (j + 1) % nx] - here)
            if i > 0:
                change += a * one[b, i - 1, j] - s * here
            if i < ny - 1:
                change += s * one[b, i + 1, j] - a * here
            two[b, i, j] = here + change
        cuda.syncthreads()
        one, two = two, one


def adv_diff(C, u, v, K, dx, dt, n):
    c, d, r = u * dt / dx, v * dt / dx, K * dt / dx**2
    shares = [np.float32(r + max(flow, 0.0)) for flow in (c, -c, d, -d)]
    grid = ((C.shape[2] + 31) // 32, (C.shape[1] + 7) // 8, C.shape[0])
    arrays = [cuda.to_device(np.zeros(C.shape, np.float32)) for _ in range(2)]
    all_steps[grid, (32, 8)](C, arrays[0], 1, *[np.float32(0.0)] * 4)
    all_steps[grid, (32, 8)](*arrays, n, *shares)
    return arrays[n % 2]
