"""Sixty-four points in registers at a time, in C through cffi."""

import subprocess
from pathlib import Path

import numpy as np
from cffi import FFI

SOURCE = r"""
void evaluate(const double *c, long k, const double *x, double *out, long n) {
    long i = 0;
    for (; i + 64 <= n; i += 64) {
        double p[64];
        for (int v = 0; v < 64; v++) p[v] = 0.0;
        for (long j = k - 1; j >= 0; j--)
            for (int v = 0; v < 64; v++) p[v] = p[v] * x[i + v] + c[j];
        for (int v = 0; v < 64; v++) out[i + v] = p[v];
    }
    for (; i < n; i++) {
        double p = 0.0;
        for (long j = k - 1; j >= 0; j--) p = p * x[i] + c[j];
        out[i] = p;
    }
}
"""
Path("evaluate.c").write_text(SOURCE)
subprocess.run(["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-o", "evaluate.so", "evaluate.c"], check=True)
ffi = FFI()
ffi.cdef("void evaluate(const double *c, long k, const double *x, double *out, long n);")
lib = ffi.dlopen("./evaluate.so")


def evaluate(c, x):
    c, x = np.ascontiguousarray(c), np.ascontiguousarray(x)
    out = np.empty_like(x)
    pointer = [ffi.cast("double *", a.ctypes.data) for a in (c, x, out)]
    lib.evaluate(pointer[0], c.size, pointer[1], pointer[2], x.size)
    return out
