# needs: gpu
"""CUDA C through CuPy: two states a thread, weights in constant memory, CUDA's own tanhf."""

import cupy

H, THREADS = 50, 128

SOURCE = r"""
__constant__ float w[252];

extern "C" __global__ void rates(const float2 *U, float2 *out, const int half)
{
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= half) return;
    const float2 x = U[i], y = U[half + i];
    const float x0 = x.x * x.x * x.x, x1 = x.y * x.y * x.y, y0 = y.x * y.x * y.x, y1 = y.y * y.y * y.y;
    float2 fx = make_float2(w[250], w[250]), fy = make_float2(w[251], w[251]);
    for (int h = 0; h < 50; h++) {
        const float s = tanhf(w[2 * h] * x0 + w[2 * h + 1] * y0 + w[100 + h]);
        const float t = tanhf(w[2 * h] * x1 + w[2 * h + 1] * y1 + w[100 + h]);
        fx.x += w[150 + h] * s; fx.y += w[150 + h] * t;
        fy.x += w[200 + h] * s; fy.y += w[200 + h] * t;
    }
    out[i] = fx;
    out[half + i] = fy;
}
"""

module = cupy.RawModule(code=SOURCE)
kernel = module.get_function("rates")
weights = cupy.ndarray(252, cupy.float32, module.get_global("w"))


def nn_batch(U, p):
    U = cupy.asarray(U)
    B = U.shape[1]
    if B % 2:  # a column more, so that pairs stay aligned
        U = cupy.concatenate([U, U[:, :1]], axis=1)
    half = U.shape[1] // 2
    out = cupy.empty_like(U)
    weights[...] = cupy.asarray(p)
    if half:
        kernel(((half + THREADS - 1) // THREADS,), (THREADS,), (U, out, cupy.int32(half)))
    return out if B % 2 == 0 else cupy.ascontiguousarray(out[:, :B])
