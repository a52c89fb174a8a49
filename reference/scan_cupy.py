"""Reference kernel: the scan in CUDA C++, through CuPy: reduce, scan the sums, scan.

    y[k] = x[0] + x[1] + … + x[k]                                     x, y: shape (n,), float32, on the device

Three launches, with tiles of TILE = 4096 elements:
1. `tile_sums` reads x and leaves one sum per tile;
2. `scan_sums` turns these n / 4096 sums into what comes before each tile, in one block;
3. `scan_tiles` reads x again, scans each tile and adds what comes before it.

Ideas, in the order of what they gain:
- *Few bytes*: 4 n read, then 4 n read and 4 n written; 12 bytes an element where a copy moves 8, so that 2/3 of a copy's speed
  would be the limit, were it not for the next idea.
- *Backwards*: `scan_tiles` starts with the last tiles, which the first launch has just read: they are still in the second
  cache level (50 MB of the 64 MiB that x has at n = 2^24, on the larger devices).
- *Registers and shuffles*: a warp owns 512 consecutive elements, as four rows of 128; a thread loads four neighbours of each row
  at once (16 bytes, coalesced), adds them up, and 5 shuffles scan the 32 threads. Shared memory holds 8 numbers a block.
- *No waiting*: no block waits for another one, so none has to be resident for the others to advance.

The order of additions depends on n alone, never on which block comes first: the same x gives the same bits. (A single pass with
decoupled look-back moves 8 bytes an element, but takes whatever sums its predecessors have published so far.) Additions: about
2.2 n and 10 shuffles for 16 elements, hidden behind memory. Any two elements of a sum meet after at most 4 + 5 + 4 + 8 additions
in a tile and n / 2^22 + 5 + 32 for the sums of tiles.

Source: M. Harris, S. Sengupta, J. D. Owens, *Parallel prefix sum (scan) with CUDA*, GPU Gems 3 (2007), chapter 39; D. Merrill,
M. Garland, *Single-pass parallel prefix scan with decoupled look-back*, NVIDIA NVR-2016-002 (2016), for what is not done here.
"""

import cupy
import numpy as np

TILE = 4096  # 8 warps × 4 rows × 128 elements

SOURCE = r"""
constexpr int THREADS = 256, WARPS = THREADS / 32, ROWS = 4, ROW = 128, TILE = WARPS * ROWS * ROW;
constexpr int SCANNERS = 1024;
constexpr unsigned ALL = 0xffffffffu;

/* The sum of v over the lanes up to mine, always in the same order. */
__device__ float up_to_me(float v)
{
    const int lane = threadIdx.x % 32;
    for (int d = 1; d < 32; d *= 2) {
        const float before = __shfl_up_sync(ALL, v, d);
        if (lane >= d)
            v += before;
    }
    return v;
}

/* Four neighbours from i on; zeros behind the end. */
__device__ float4 four(const float *x, long long i, long long n, bool aligned)
{
    if (aligned && i + 4 <= n)
        return *reinterpret_cast<const float4 *>(x + i);
    return make_float4(i < n ? x[i] : 0.0f, i + 1 < n ? x[i + 1] : 0.0f,
                       i + 2 < n ? x[i + 2] : 0.0f, i + 3 < n ? x[i + 3] : 0.0f);
}

/* Where a thread's first four neighbours of a tile lie; those of the next row are ROW further. */
__device__ long long place(long long tile)
{
    return tile * TILE + threadIdx.x / 32 * (ROWS * ROW) + threadIdx.x % 32 * 4;
}

extern "C" __global__ void tile_sums(const float *x, float *sums, long long n, bool aligned)
{
    __shared__ float parts[WARPS];
    const long long i = place(blockIdx.x);
    float total = 0.0f;
    for (int row = 0; row < ROWS; row++) {
        const float4 v = four(x, i + row * ROW, n, aligned);
        total += (v.x + v.y) + (v.z + v.w);
    }
    for (int d = 16; d > 0; d /= 2)
        total += __shfl_down_sync(ALL, total, d);
    if (threadIdx.x % 32 == 0)
        parts[threadIdx.x / 32] = total;
    __syncthreads();
    if (threadIdx.x == 0) {
        total = 0.0f;
        for (int w = 0; w < WARPS; w++)
            total += parts[w];
        sums[blockIdx.x] = total;
    }
}

/* In place: sums[t] becomes sums[0] + … + sums[t - 1]. One block; a thread has `each` neighbours. */
extern "C" __global__ void scan_sums(float *sums, int count)
{
    __shared__ float warps[SCANNERS / 32];
    const int each = (count + SCANNERS - 1) / SCANNERS, first = threadIdx.x * each;
    float total = 0.0f;
    for (int k = first; k < first + each && k < count; k++)
        total += sums[k];
    const float through = up_to_me(total);
    if (threadIdx.x % 32 == 31)
        warps[threadIdx.x / 32] = through;
    float before = __shfl_up_sync(ALL, through, 1);
    if (threadIdx.x % 32 == 0)
        before = 0.0f;
    __syncthreads();
    float base = 0.0f;
    for (int w = 0; w < threadIdx.x / 32; w++)
        base += warps[w];
    before += base;
    for (int k = first; k < first + each && k < count; k++) {
        const float mine = sums[k];
        sums[k] = before;
        before += mine;
    }
}

extern "C" __global__ void scan_tiles(const float *x, const float *before, float *y, long long n, bool aligned)
{
    __shared__ float parts[WARPS];
    const long long tile = gridDim.x - 1 - blockIdx.x, i = place(tile);
    float4 v[ROWS];
    for (int row = 0; row < ROWS; row++)
        v[row] = four(x, i + row * ROW, n, aligned);
    float rows = 0.0f;
    for (int row = 0; row < ROWS; row++) {
        v[row].y += v[row].x;
        v[row].z += v[row].y;
        v[row].w += v[row].z;
        const float through = up_to_me(v[row].w);
        float base = __shfl_up_sync(ALL, through, 1);
        base = (threadIdx.x % 32 == 0 ? 0.0f : base) + rows;
        v[row].x += base;
        v[row].y += base;
        v[row].z += base;
        v[row].w += base;
        rows += __shfl_sync(ALL, through, 31);
    }
    if (threadIdx.x % 32 == 0)
        parts[threadIdx.x / 32] = rows;
    __syncthreads();
    float base = 0.0f;
    for (int w = 0; w < threadIdx.x / 32; w++)
        base += parts[w];
    base += before[tile];
    for (int row = 0; row < ROWS; row++) {
        const long long k = i + row * ROW;
        const float4 u = make_float4(v[row].x + base, v[row].y + base, v[row].z + base, v[row].w + base);
        if (aligned && k + 4 <= n)
            *reinterpret_cast<float4 *>(y + k) = u;
        else {
            if (k < n) y[k] = u.x;
            if (k + 1 < n) y[k + 1] = u.y;
            if (k + 2 < n) y[k + 2] = u.z;
            if (k + 3 < n) y[k + 3] = u.w;
        }
    }
}
"""

_module = cupy.RawModule(code=SOURCE, options=("-std=c++14",))
_tile_sums, _scan_sums, _scan_tiles = map(_module.get_function, ("tile_sums", "scan_sums", "scan_tiles"))


def scan(x: object) -> cupy.ndarray:
    """Return the running sums of x.

    Args:
        x: Shape (n,), float32, on the device. Not modified.

    Returns:
        y, shape (n,), float32, on the device.
    """
    x = cupy.ascontiguousarray(cupy.asarray(x))
    n = x.size
    y = cupy.empty(n, cupy.float32)
    if n == 0:
        return y
    tiles = -(-n // TILE)
    sums = cupy.empty(tiles, cupy.float32)
    aligned = np.bool_(x.data.ptr % 16 == 0)  # y is: CuPy aligns what it allocates
    _tile_sums((tiles,), (256,), (x, sums, np.int64(n), aligned))
    _scan_sums((1,), (1024,), (sums, np.int32(tiles)))
    _scan_tiles((tiles,), (256,), (x, sums, y, np.int64(n), aligned))
    return y
