"""Reference kernel: eight ecosystems with all of their derivatives in registers, from the first step to the last.

Formulas, units and arguments as in `sensitivities`. The ensemble is compiled by gcc:

1. *Members side by side.* Ten quantities of eight members are ten registers; a stage needs as many again, and sums of stages as
   many. That is all of the 32 that AVX-512 has: a second block of members would be spilled.
2. *Shared products.* With a = alpha - beta y, b = delta x - gamma, c = -beta x and d = delta y, all four columns of derivatives obey
   X' = a X + c Y, Y' = d X + b Y, plus one of x, -xy, -y, xy: two multiply-adds and a product each.
3. *dt in the coefficients* of the sums of stages.

Counts, a member and step: four stages of 16 products and multiply-adds for the derivatives and eight instructions for what they share,
and seventy multiply-adds for the sums: some 165 instructions for eight members, 268 flops. Memory: 32 bytes a member at the start, 80 at the end.

Programs, one member's path and the fit are NumPy, as in the baseline.
"""

import math
import subprocess
from pathlib import Path

import numpy as np
from cffi import FFI

_SOURCE = r"""
#include <stddef.h>

#ifdef __AVX512F__
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
typedef double lanes __attribute__((vector_size(8 * LANES)));

/* k = rates of w; w: x, y, four of X, four of Y */
#define RATES(k, w) { \
        const lanes a = alpha - beta * w[1], b = delta * w[0] - gamma, c = beta * w[0], d = delta * w[1], e = w[0] * w[1]; \
        k[0] = w[0] * a; k[1] = w[1] * b; \
        k[2] = w[0] + a * w[2] - c * w[6]; k[6] = d * w[2] + b * w[6]; \
        k[3] = a * w[3] - c * w[7] - e;    k[7] = d * w[3] + b * w[7]; \
        k[4] = a * w[4] - c * w[8];        k[8] = d * w[4] + b * w[8] - w[1]; \
        k[5] = a * w[5] - c * w[9];        k[9] = d * w[5] + b * w[9] + e; }
#define ALL for (int i = 0; i < 10; i++)

/* P: m rows of alpha, beta, gamma, delta; u, D: m rows of two states and of eight derivatives */
void ensemble(const double *P, double x0, double y0, double dt, ptrdiff_t m, ptrdiff_t n, double *u, double *D)
{
    for (ptrdiff_t first = 0; first < m; first += LANES) {
        lanes alpha, beta, gamma, delta, w[10], k[10], z[10], s[10];
        for (int i = 0; i < LANES; i++) {
            const double *row = P + 4 * (first + i < m ? first + i : m - 1);
            alpha[i] = row[0]; beta[i] = row[1]; gamma[i] = row[2]; delta[i] = row[3];
        }
        const lanes zero = {0};
        ALL w[i] = zero;
        w[0] += x0; w[1] += y0;
        const double half = dt / 2, third = dt / 3, sixth = dt / 6;
        for (ptrdiff_t step = 0; step < n; step++) {
            RATES(k, w)
            ALL { s[i] = w[i] + sixth * k[i]; z[i] = w[i] + half * k[i]; }
            RATES(k, z)
            ALL { s[i] += third * k[i]; z[i] = w[i] + half * k[i]; }
            RATES(k, z)
            ALL { s[i] += third * k[i]; z[i] = w[i] + dt * k[i]; }
            RATES(k, z)
            ALL w[i] = s[i] + sixth * k[i];
        }
        for (int i = 0; i < LANES && first + i < m; i++) {
            u[2 * (first + i)] = w[0][i]; u[2 * (first + i) + 1] = w[1][i];
            for (int q = 0; q < 8; q++) D[8 * (first + i) + q] = w[2 + q][i];
        }
    }
}
"""
_FLAGS = ("-O3", "-march=native", "-mprefer-vector-width=512", "-ffp-contract=fast", "-Wno-psabi", "-shared", "-fPIC")
Path("sensitivities.c").write_text(_SOURCE, encoding="ascii")
subprocess.run(["gcc", *_FLAGS, "-o", "sensitivities.so", "sensitivities.c"], check=True)  # noqa: S603, S607  # fixed command, in a guest
_ffi = FFI()
_ffi.cdef("void ensemble(const double *P, double x0, double y0, double dt, ptrdiff_t m, ptrdiff_t n, double *u, double *D);")
_library = _ffi.dlopen("./sensitivities.so")
_ONE = {
    6: lambda v: (math.sin(v), math.cos(v)), 7: lambda v: (math.exp(v), math.exp(v)),
    8: lambda v: (math.log(v), 1 / v), 9: lambda v: (math.sqrt(v), 0.5 / math.sqrt(v)),
}  # fmt: skip


def ensemble(P: np.ndarray, u0: np.ndarray, dt: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return states (m, 2) and derivatives (m, 2, 4) after n steps; arguments as in the oracle."""
    P, u, D = np.ascontiguousarray(P), np.empty((len(P), 2)), np.empty((len(P), 2, 4))
    given = [_ffi.cast("double *", array.ctypes.data) for array in (P, u, D)]
    _library.ensemble(given[0], u0[0], u0[1], dt, len(P), n, given[1], given[2])
    return u, D


def sens(p: np.ndarray, u0: np.ndarray, dt: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return states (n + 1, 2) and derivatives (n + 1, 2, 4); arguments as in the oracle."""
    alpha, beta, gamma, delta = p

    def rates(w: np.ndarray) -> np.ndarray:
        x, y = w[0, 0], w[1, 0]
        A = np.array([[alpha - beta * y, -beta * x], [delta * y, delta * x - gamma]])
        k = A @ w
        k[:, 0] = x * (alpha - beta * y), y * (delta * x - gamma)
        k[0, 1:3] += x, -x * y
        k[1, 3:] += -y, x * y
        return k

    rows = np.zeros((n + 1, 2, 5))
    rows[0, :, 0] = u0
    for i in range(n):
        w = rows[i]
        k1 = rates(w)
        k2 = rates(w + dt / 2 * k1)
        k3 = rates(w + dt / 2 * k2)
        rows[i + 1] = w + dt / 6 * (k1 + 2 * (k2 + k3) + rates(w + dt * k3))
    return rows[:, :, 0].copy(), rows[:, :, 1:].copy()


def gradient(op: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray, x: np.ndarray) -> tuple[float, np.ndarray]:
    """Return a program's result and its derivatives (k,); arguments as in the oracle."""
    v, d = np.zeros(len(op)), np.zeros((len(op), len(x)))
    for k, (what, i, j) in enumerate(zip(op.tolist(), a.tolist(), b.tolist(), strict=True)):
        if what == 0:
            v[k], d[k, i] = x[i], 1.0
        elif what == 1:
            v[k] = c[k]
        elif what >= 6:
            v[k], slope = _ONE[what](v[i])
            d[k] = slope * d[i]
        elif what == 4:
            v[k], d[k] = v[i] * v[j], v[j] * d[i] + v[i] * d[j]
        elif what == 5:
            v[k] = v[i] / v[j]
            d[k] = (d[i] - v[k] * d[j]) / v[j]
        else:
            sign = 5.0 - 2.0 * what  # 1 for a sum, -1 for a difference
            v[k], d[k] = v[i] + sign * v[j], d[i] + sign * d[j]
    return float(v[-1]), d[-1].copy()


def fit(data: np.ndarray, u0: np.ndarray, dt: float, p0: np.ndarray) -> np.ndarray:
    """Return the parameters (4,) of the least sum of squares near p0; arguments as in the oracle."""
    p, damping, n = p0, 1e-3, len(data) - 1
    u, D = sens(p, u0, dt, n)
    for _ in range(100):
        r, J = (u - data).ravel(), D.reshape(-1, 4)
        A = J.T @ J
        move = np.linalg.solve(A + damping * np.diag(np.diag(A)), -J.T @ r)
        there = sens(p + move, u0, dt, n)
        if np.sum((there[0] - data) ** 2) <= r @ r:
            p, (u, D), damping = p + move, there, damping / 10
        else:
            damping *= 10
        if np.abs(move).max() <= 1e-13 * np.abs(p).max():
            break
    return p
