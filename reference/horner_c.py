"""Polynomials: what an expert writes. Sixty-four points live in registers while all coefficients pass by.

Counts: 2·k·n flops, 16·n bytes of memory traffic: compute-bound from k ≈ 8 on. Sixty-four accumulators, because a fused
multiply-add takes four cycles and two can start in each: eight vectors of eight doubles keep both units busy.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
from cffi import FFI

_SOURCE = r"""
void evaluate(const double *c, long k, const double *x, double *restrict out, long n) {
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
_FLAGS = ("-O3", "-march=native", "-mprefer-vector-width=512", "-shared", "-fPIC")
Path("evaluate.c").write_text(_SOURCE, encoding="ascii")
subprocess.run(["gcc", *_FLAGS, "-o", "evaluate.so", "evaluate.c"], check=True)  # noqa: S603, S607  # fixed command, in a guest
_ffi = FFI()
_ffi.cdef("void evaluate(const double *c, long k, const double *x, double *out, long n);")
_library = _ffi.dlopen("./evaluate.so")


def evaluate(c: npt.NDArray[np.float64], x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """See the oracle."""
    c, x = np.ascontiguousarray(c), np.ascontiguousarray(x)
    out = np.empty_like(x)
    pointers = [_ffi.cast("double *", a.ctypes.data) for a in (c, x, out)]
    _library.evaluate(pointers[0], c.size, pointers[1], pointers[2], x.size)
    return out
