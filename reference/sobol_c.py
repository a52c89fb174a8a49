"""Reference kernel: Sobol' indices of the climate model, 32 members in registers for all of their steps.

Formula, units and arguments as in `sobol`. Compiled by gcc:

1. *Coefficients multiplied out.* f = F/(10 C), l = lam/(10 C), q = a/(10 C), g = gamma/(10 C) and h = gamma/(10 E) are formed once; a step is
   T + f r + T (q T - l) - g (T - D) and D + h (T - D): one subtraction and five fused multiply-adds.
2. *Members side by side.* Four registers of eight numbers each for T, D and the five coefficients are 28 of the 32 that AVX-512 has. A
   step's longest chain is three fused multiply-adds, 12 cycles; four chains of six instructions fill two units for those 12.
3. *Nothing is stored but results*: points A_B^(i) are read from A and B where they are needed.

Counts, a member and step: 11 flops, six instructions for eight members. Memory: 96 bytes a member at its start, 8 at its end.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cffi import FFI

LOW = np.array([3.3, 0.9, 0.00, 6.0, 60.0, 0.5])
HIGH = np.array([4.3, 1.7, 0.04, 10.0, 180.0, 1.0])

_SOURCE = r"""
#include <stddef.h>

#ifdef __AVX512F__
enum { WIDE = 8, REGISTERS = 4 };
#else
enum { WIDE = 4, REGISTERS = 2 };
#endif
enum { LANES = WIDE * REGISTERS, DOUBLED = 700 };
typedef double lanes __attribute__((vector_size(8 * WIDE)));

/* p: LANES members' F, lam, a, C, E, gamma, one array after the other; T: their warming after so many steps */
static void march(const double *p, ptrdiff_t steps, double *T)
{
    lanes t[REGISTERS], d[REGISTERS], f[REGISTERS], l[REGISTERS], q[REGISTERS], g[REGISTERS], h[REGISTERS];
    for (int b = 0; b < REGISTERS; b++)
        for (int i = 0; i < WIDE; i++) {
            const double *m = p + WIDE * b + i;
            const double air = 1.0 / (10.0 * m[3 * LANES]), deep = 1.0 / (10.0 * m[4 * LANES]);
            f[b][i] = air * m[0]; l[b][i] = air * m[LANES]; q[b][i] = air * m[2 * LANES];
            g[b][i] = air * m[5 * LANES]; h[b][i] = deep * m[5 * LANES];
            t[b][i] = d[b][i] = 0.0;
        }
    const ptrdiff_t rising = steps < DOUBLED ? steps : DOUBLED;
#define STEP(R) \
        for (int b = 0; b < REGISTERS; b++) { \
            const lanes c = t[b] - d[b], s = q[b] * t[b] - l[b]; \
            lanes u = t[b] + f[b] * (R); \
            u += t[b] * s; \
            u -= g[b] * c; \
            d[b] += h[b] * c; \
            t[b] = u; \
        }
    for (ptrdiff_t k = 0; k < rising; k++) {
        const double r = k / (double)DOUBLED;
        STEP(r)
    }
    for (ptrdiff_t k = rising; k < steps; k++) STEP(1.0)
    for (int b = 0; b < REGISTERS; b++)
        for (int i = 0; i < WIDE; i++) T[WIDE * b + i] = t[b][i];
}

/* points: n rows of six numbers, column `other` (or none, if it is negative) from `from`; scaled by low + wide x */
void members(const double *points, const double *from, int other, const double *low, const double *wide, ptrdiff_t n, ptrdiff_t steps, double *out)
{
    for (ptrdiff_t first = 0; first < n; first += LANES) {
        double p[6 * LANES], T[LANES];
        for (int i = 0; i < LANES; i++) {
            const ptrdiff_t row = first + i < n ? first + i : n - 1;
            for (int c = 0; c < 6; c++)
                p[c * LANES + i] = low[c] + wide[c] * (c == other ? from : points)[6 * row + c];
        }
        march(p, steps, T);
        for (int i = 0; i < LANES && first + i < n; i++) out[first + i] = T[i];
    }
}
"""
_FLAGS = ("-O3", "-march=native", "-mprefer-vector-width=512", "-ffp-contract=fast", "-Wno-psabi", "-shared", "-fPIC")
Path("sobol.c").write_text(_SOURCE, encoding="ascii")
subprocess.run(["gcc", *_FLAGS, "-o", "sobol.so", "sobol.c"], check=True)  # noqa: S603, S607  # fixed command, in a guest
_ffi = FFI()
_ffi.cdef("""
void members(const double *points, const double *from, int other, const double *low, const double *wide, ptrdiff_t n, ptrdiff_t steps, double *out);
""")
_library = _ffi.dlopen("./sobol.so")


def _members(points: np.ndarray, other: np.ndarray, column: int, low: np.ndarray, wide: np.ndarray, years: int) -> np.ndarray:
    out = np.empty(len(points))
    given = [_ffi.cast("double *", array.ctypes.data) for array in (points, other, low, wide, out)]
    _library.members(given[0], given[1], column, given[2], given[3], len(points), 10 * years, given[4])
    return out


def warming(p: np.ndarray, years: int) -> np.ndarray:
    """Return T (n,) in K after so many years; arguments as in the oracle."""
    p = np.ascontiguousarray(p)
    return _members(p, p, -1, np.zeros(6), np.ones(6), years)


def _estimate(fA: np.ndarray, fB: np.ndarray, mixed: list) -> tuple[np.ndarray, np.ndarray]:
    m = (fA.sum() + fB.sum()) / (2 * len(fA))
    centred = fB - m
    V = (np.dot(fA - m, fA - m) + np.dot(centred, centred)) / (2 * len(fA))
    if np.ptp([fA, fB]) == 0.0:
        return np.zeros(len(mixed)), np.zeros(len(mixed))
    moved = np.array(mixed) - fA
    return moved @ centred / (len(fA) * V), (moved * moved).sum(axis=1) / (2 * len(fA) * V)


def sobol(f: Callable, A: np.ndarray, B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return S (k,) and ST (k,) of f; arguments as in the oracle."""
    mixed = np.repeat(A[None], A.shape[1], axis=0)
    for i in range(A.shape[1]):
        mixed[i, :, i] = B[:, i]
    fA, fB, *values = (np.array([f(x) for x in points]) for points in (A, B, *mixed))
    return _estimate(fA, fB, values)


def climate_indices(A: np.ndarray, B: np.ndarray, years: int) -> tuple[np.ndarray, np.ndarray]:
    """Return S (6,) and ST (6,) of the warming; arguments as in the oracle."""
    A, B, wide = np.ascontiguousarray(A), np.ascontiguousarray(B), HIGH - LOW
    fA, fB = (_members(points, points, -1, LOW, wide, years) for points in (A, B))
    return _estimate(fA, fB, [_members(A, B, i, LOW, wide, years) for i in range(6)])
