"""C in single precision, written so that gcc vectorises every function, one Python thread per stream."""

import math
import subprocess
import threading
from pathlib import Path

import cffi
import numpy as np

SOURCE = r"""
#include <math.h>
#include <stdint.h>

enum { LANES = 128 };

static uint32_t scramble(uint32_t x)
{
    x ^= x >> 16; x *= 0x21f0aaadu; x ^= x >> 15; x *= 0xd35a2d97u; x ^= x >> 15;
    return x;
}

/* xoshiro128+ (Blackman and Vigna), one generator a lane. */
#define NEXT(i) ({ \
    const uint32_t sum = a[i] + d[i], t = b[i] << 9; \
    c[i] ^= a[i]; d[i] ^= b[i]; b[i] ^= c[i]; a[i] ^= d[i]; c[i] ^= t; d[i] = d[i] << 11 | d[i] >> 21; \
    sum; })

/* Two numbers make two normals (Box and Muller). */
void paths(float S0, float drift, float spread, long m, long count, uint64_t seed, double K, double shift, double *sums)
{
    uint32_t a[LANES], b[LANES], c[LANES], d[LANES];
    float price[LANES], total[LANES];
    for (int i = 0; i < LANES; i++) {
        uint64_t z = seed;
        uint32_t state[4];
        for (int k = 0; k < 4; k++) {
            z += 0x9e3779b97f4a7c15ull * (uint64_t)(4 * i + k + 1);
            uint64_t y = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
            y = (y ^ (y >> 27)) * 0x94d049bb133111ebull;
            state[k] = scramble((uint32_t)((y ^ (y >> 31)) >> 32)) | (k == 0);
        }
        a[i] = state[0]; b[i] = state[1]; c[i] = state[2]; d[i] = state[3];
    }
    double linear = 0, square = 0;
    for (long start = 0; start < count; start += LANES) {
        for (int i = 0; i < LANES; i++) { price[i] = S0; total[i] = 0; }
        for (long j = 0; j < m; j += 2) {
            const float both = j + 1 < m;
            for (int i = 0; i < LANES; i++) {
                const uint32_t first = NEXT(i), second = NEXT(i);
                /* Signed conversions are vector instructions everywhere; + 0.5 keeps the radius finite. */
                const float u = ((float)(int32_t)(first >> 1) + 0.5f) * 0x1p-31f;
                const float angle = (float)(int32_t)second * (float)(3.14159265358979 * 0x1p-31);
                const float radius = sqrtf(-2.0f * logf(u < 0.99999994f ? u : 0.99999994f));
                const float one = price[i] * expf(drift + spread * radius * cosf(angle));
                /* The sine, as gcc would join sinf and cosf into one call that has no vector version. */
                const float two = one * expf(drift + spread * radius * cosf(angle - 1.57079633f));
                price[i] = two;
                total[i] += one + both * two;
            }
        }
        const long used = count - start < LANES ? count - start : LANES;
        for (long i = 0; i < used; i++) {
            const double payoff = fmax((double)total[i] / m - K, 0.0) - shift;
            linear += payoff;
            square += payoff * payoff;
        }
    }
    sums[0] = linear;
    sums[1] = square;
}
"""

Path("asian_paths.c").write_text(SOURCE)
FLAGS = ["-O3", "-march=native", "-mprefer-vector-width=512", "-ffast-math", "-shared", "-fPIC"]
subprocess.run(["gcc", *FLAGS, "asian_paths.c", "-o", "asian_paths.so", "-lmvec", "-lm"], check=True)
ffi = cffi.FFI()
ffi.cdef("""void paths(float S0, float drift, float spread, long m, long count, uint64_t seed, double K, double shift,
                      double *sums);""")
library = ffi.dlopen("./asian_paths.so")


def asian_call(S0, K, r, sigma, T, m, npaths, seed, p):
    dt = T / m
    shift = max(S0 * sum(math.exp(r * dt * j) for j in range(1, m + 1)) / m - K, 0.0)
    seeds = np.random.SeedSequence(seed).generate_state(p, np.uint64)
    counts = [npaths * (t + 1) // p - npaths * t // p for t in range(p)]
    sums = np.zeros((p, 2))

    def work(t):
        # cffi lets go of the interpreter lock during the call.
        row = ffi.cast("double *", ffi.from_buffer(sums)) + 2 * t
        drift, spread = (r - 0.5 * sigma**2) * dt, sigma * math.sqrt(dt)
        library.paths(S0, drift, spread, m, counts[t], int(seeds[t]), K, shift, row)

    threads = [threading.Thread(target=work, args=(t,)) for t in range(p)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    linear, square = sums.sum(axis=0)
    discount, variance = math.exp(-r * T), max(square - linear**2 / npaths, 0.0) / (npaths - 1)
    return float(discount * (shift + linear / npaths)), float(discount * math.sqrt(variance / npaths))
