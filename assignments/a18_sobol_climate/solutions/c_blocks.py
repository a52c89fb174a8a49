"""C through cffi: 64 members of a block take a step in a loop that gcc vectorises; rows are scaled and exchanged in NumPy."""

import subprocess
from pathlib import Path

import cffi
import numpy as np

LOW = np.array([3.3, 0.9, 0.00, 6.0, 60.0, 0.5])
HIGH = np.array([4.3, 1.7, 0.04, 10.0, 180.0, 1.0])

Path("march.c").write_text(r"""
#include <stddef.h>
enum { LANES = 64 };

void march(const double *p, ptrdiff_t n, ptrdiff_t steps, double *out)
{
    for (ptrdiff_t first = 0; first < n; first += LANES) {
        double f[LANES], l[LANES], q[LANES], g[LANES], h[LANES], t[LANES] = {0}, d[LANES] = {0};
        for (int i = 0; i < LANES; i++) {
            const double *m = p + 6 * (first + i < n ? first + i : first);
            f[i] = m[0] / (10 * m[3]), l[i] = m[1] / (10 * m[3]), q[i] = m[2] / (10 * m[3]);
            g[i] = m[5] / (10 * m[3]), h[i] = m[5] / (10 * m[4]);
        }
        for (ptrdiff_t k = 0; k < steps; k++) {
            const double r = k < 700 ? k / 700.0 : 1.0;
            for (int i = 0; i < LANES; i++) {
                const double c = t[i] - d[i];
                t[i] += f[i] * r + t[i] * (q[i] * t[i] - l[i]) - g[i] * c;
                d[i] += h[i] * c;
            }
        }
        for (int i = 0; i < LANES && first + i < n; i++) out[first + i] = t[i];
    }
}
""")
FLAGS = ["-O3", "-march=native", "-mprefer-vector-width=512", "-ffast-math", "-shared", "-fPIC"]
subprocess.run(["gcc", *FLAGS, "march.c", "-o", "march.so"], check=True)
ffi = cffi.FFI()
ffi.cdef("void march(const double *p, ptrdiff_t n, ptrdiff_t steps, double *out);")
library = ffi.dlopen("./march.so")


def warming(p, years):
    p, out = np.ascontiguousarray(p), np.empty(len(p))
    library.march(ffi.cast("double *", p.ctypes.data), len(p), 10 * years, ffi.cast("double *", out.ctypes.data))
    return out


def samples(A, B):
    k = A.shape[1]
    stack = np.concatenate([A[None], B[None], np.repeat(A[None], k, axis=0)])
    for i in range(k):
        stack[2 + i, :, i] = B[:, i]
    return stack


def estimate(values):
    fA, fB, mixed = values[0], values[1], values[2:]
    m, V = values[:2].mean(), values[:2].var()
    if np.ptp(values[:2]) == 0:
        return np.zeros(len(mixed)), np.zeros(len(mixed))
    return (mixed - fA) @ (fB - m) / (len(fA) * V), ((mixed - fA) ** 2).mean(axis=1) / (2 * V)


def sobol(f, A, B):
    return estimate(np.array([[f(x) for x in points] for points in samples(A, B)]))


def climate_indices(A, B, years):
    stack = samples(A, B)
    members = (LOW + (HIGH - LOW) * stack).reshape(-1, 6)
    return estimate(warming(members, years).reshape(len(stack), -1))
