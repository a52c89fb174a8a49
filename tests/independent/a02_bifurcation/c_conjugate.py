"""C through cffi, in the conjugate variable w = r (1/2 - x): w' = w w + c with c = r/2 - r r/4."""

import subprocess
from pathlib import Path

import numpy as np
from cffi import FFI

Path("orbits.c").write_text("""
#include <stddef.h>
#define W 64
void orbits(const double *r, double *out, ptrdiff_t m, double x0, ptrdiff_t warmup, ptrdiff_t k) {
    for (ptrdiff_t first = 0; first < m; first += W) {
        double w[W], c[W];
        for (int j = 0; j < W; j++) {
            double rate = first + j < m ? r[first + j] : 1.0;
            w[j] = rate * (0.5 - x0);
            c[j] = rate / 2 - rate * rate / 4;
        }
        for (ptrdiff_t n = 0; n < warmup; n++)
            for (int j = 0; j < W; j++) w[j] = w[j] * w[j] + c[j];
        for (ptrdiff_t i = 0; i < k; i++)
            for (int j = 0; j < W; j++) {
                if (first + j < m) out[(first + j) * k + i] = 0.5 - w[j] / r[first + j];
                w[j] = w[j] * w[j] + c[j];
            }
    }
}
void plain(double r, double *out, double x, ptrdiff_t warmup, ptrdiff_t k) {
    for (ptrdiff_t n = 0; n < warmup; n++) x = r * x * (1 - x);
    for (ptrdiff_t i = 0; i < k; i++) { out[i] = x; x = r * x * (1 - x); }
}
""")
subprocess.run(["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-o", "orbits.so", "orbits.c"], check=True)
ffi = FFI()
ffi.cdef("""
void orbits(const double *r, double *out, ptrdiff_t m, double x0, ptrdiff_t warmup, ptrdiff_t k);
void plain(double r, double *out, double x, ptrdiff_t warmup, ptrdiff_t k);
""")
library = ffi.dlopen("./orbits.so")


def pointer(array):
    return ffi.cast("double *", array.ctypes.data)


def calc_attractor(out, r, x0=0.25, warmup=400):
    samples = np.empty(len(out))
    library.plain(float(r), pointer(samples), float(x0), warmup, len(out))
    out[:] = samples


def diagram(r, warmup=400):
    out = np.empty((len(r), 150))
    big = np.flatnonzero(r >= 1.0)  # below, w holds fewer digits of x than x itself
    rates = np.ascontiguousarray(r[big])
    found = np.empty((len(big), 150))
    library.orbits(pointer(rates), pointer(found), len(big), 0.25, warmup, 150)
    out[big] = found
    for i in np.flatnonzero(r < 1.0):
        calc_attractor(out[i], r[i], 0.25, warmup)
    return out
