"""In the unit w = r (1/2 - x) the map is w' = w w + c: one fused operation a step, in C with GCC's vector types."""

import subprocess
from pathlib import Path

import numpy as np
from cffi import FFI

SOURCE = r"""
#define VECTORS 8
#ifdef __AVX512F__
#define WIDE 8
#else
#define WIDE 4 /* wider than the registers, gcc keeps them in memory */
#endif
typedef double vector __attribute__((vector_size(8 * WIDE)));

void columns(const double *r, long m, long warmup, double *out)
{
    for (long first = 0; first < m; first += WIDE * VECTORS) {
        vector w[VECTORS], c[VECTORS];
        for (int k = 0; k < VECTORS; k++)
            for (int j = 0; j < WIDE; j++) {
                long i = first + WIDE * k + j < m ? first + WIDE * k + j : m - 1;
                w[k][j] = r[i] * 0.25;
                c[k][j] = r[i] * (2 - r[i]) / 4;
            }
        for (long n = 0; n < warmup; n++)
#pragma GCC unroll 8
            for (int k = 0; k < VECTORS; k++)
                w[k] = w[k] * w[k] + c[k];
        for (long n = 0; n < 150; n++)
            for (int k = 0; k < VECTORS; k++) {
                for (int j = 0; j < WIDE; j++) {
                    long i = first + WIDE * k + j;
                    if (i < m)
                        out[150 * i + n] = r[i] != 0 ? 0.5 - w[k][j] / r[i] : warmup + n == 0 ? 0.25 : 0.0;
                }
                w[k] = w[k] * w[k] + c[k];
            }
    }
}

void orbit(double *out, long k, long stride, double r, double x, long warmup)
{
    for (long n = 0; n < warmup; n++)
        x = r * x * (1 - x);
    for (long n = 0; n < k; n++, x = r * x * (1 - x))
        out[n * stride] = x;
}
"""

ffi = FFI()
ffi.cdef("""
void columns(const double *r, long m, long warmup, double *out);
void orbit(double *out, long k, long stride, double r, double x, long warmup);
""")
Path("squares.c").write_text(SOURCE)
subprocess.run(
    ["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-Wno-psabi", "squares.c", "-o", "squares.so"], check=True
)
library = ffi.dlopen("./squares.so")


def calc_attractor(out, r, x0=0.25, warmup=400):
    start = ffi.cast("double *", out.ctypes.data)
    library.orbit(start, len(out), out.strides[0] // 8 if len(out) > 1 else 1, r, x0, warmup)


def diagram(r, warmup=400):
    r = np.ascontiguousarray(r)
    out = np.empty((len(r), 150))
    library.columns(ffi.cast("double *", r.ctypes.data), len(r), warmup, ffi.cast("double *", out.ctypes.data))
    return out
