"""Reference kernel: sixteen chains of Hamiltonian Monte Carlo side by side in registers, from their first day to their last sample.

Formula, units and arguments as in `hmc`. The chains are compiled by gcc:

1. *Chains side by side.* S, I and their four derivatives are two registers of eight chains each; all trajectories of a block run before
   the next block begins. A chain that rejects keeps its place by a mask; nothing branches.
2. *h in the rates.* beta/4 and gamma/4 are formed once an evaluation, so that a step is five products, five fused multiply-adds and eight sums.
3. *What is known is kept*: U and its gradient where a chain stands: L evaluations a trajectory.
4. *The exponential* that rates need is taken twice a chain and evaluation, beside some 240 steps.

Counts, a step: 23 flops for S, I and four derivatives; a day: 7. With 60 days a chain's evaluation is 5.9 kflop; memory is used for
momenta and samples alone, 40 bytes a trajectory.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cffi import FFI

_SOURCE = r"""
#include <math.h>
#include <stddef.h>

#ifdef __AVX512F__
enum { WIDE = 8, REGISTERS = 2 };
#else
enum { WIDE = 4, REGISTERS = 2 };
#endif
enum { LANES = WIDE * REGISTERS };
typedef double lanes __attribute__((vector_size(8 * WIDE)));
#define EACH for (int b = 0; b < REGISTERS; b++)

/* U and both parts of its gradient, for LANES chains at a, c: log beta, log gamma */
static void energy(const lanes *a, const lanes *c, const double *data, ptrdiff_t days, const double *centre, lanes *U, lanes *ga, lanes *gc)
{
    lanes beta[REGISTERS], gamma[REGISTERS], S[REGISTERS], I[REGISTERS], S1[REGISTERS], I1[REGISTERS], S2[REGISTERS], I2[REGISTERS];
    lanes u[REGISTERS], g1[REGISTERS], g2[REGISTERS];
    EACH {
        for (int i = 0; i < WIDE; i++) {
            beta[b][i] = 0.25 * exp(a[b][i]);
            gamma[b][i] = 0.25 * exp(c[b][i]);
        }
        const lanes zero = {0};
        S[b] = zero + 0.99; I[b] = zero + 0.01;
        S1[b] = I1[b] = S2[b] = I2[b] = u[b] = g1[b] = g2[b] = zero;
    }
    for (ptrdiff_t d = 0; d < days; d++) {
        for (int step = 0; step < 4; step++)
            EACH {
                const lanes sick = beta[b] * I[b], open = beta[b] * S[b];
                const lanes f = sick * S[b], r = gamma[b] * I[b];
                const lanes f1 = f + sick * S1[b] + open * I1[b], f2 = sick * S2[b] + open * I2[b];
                S[b] -= f; S1[b] -= f1; S2[b] -= f2;
                I2[b] += f2 - r - gamma[b] * I2[b];
                I1[b] += f1 - gamma[b] * I1[b];
                I[b] += f - r;
            }
        EACH {
            const lanes off = I[b] - data[d];
            u[b] += off * off; g1[b] += off * I1[b]; g2[b] += off * I2[b];
        }
    }
    EACH {
        const lanes x = a[b] - centre[0], y = c[b] - centre[1];
        U[b] = u[b] * 1250.0 + (x * x + y * y) * 2.0;
        ga[b] = g1[b] * 2500.0 + x * 4.0;
        gc[b] = g2[b] * 2500.0 + y * 4.0;
    }
}

/* Q0: m rows of two; P: m rows of n pairs; limit: m rows of n logarithms; out as P */
void chains(const double *Q0, double eps, ptrdiff_t L, const double *P, const double *limit, ptrdiff_t m, ptrdiff_t n,
            const double *data, ptrdiff_t days, const double *centre, double *out)
{
    for (ptrdiff_t first = 0; first < m; first += LANES) {
        ptrdiff_t row[LANES];
        lanes qa[REGISTERS], qc[REGISTERS], U[REGISTERS], ga[REGISTERS], gc[REGISTERS];
        for (int i = 0; i < LANES; i++) {
            row[i] = first + i < m ? first + i : m - 1;
            qa[i / WIDE][i % WIDE] = Q0[2 * row[i]];
            qc[i / WIDE][i % WIDE] = Q0[2 * row[i] + 1];
        }
        energy(qa, qc, data, days, centre, U, ga, gc);
        for (ptrdiff_t t = 0; t < n; t++) {
            lanes pa[REGISTERS], pc[REGISTERS], xa[REGISTERS], xc[REGISTERS], V[REGISTERS], ha[REGISTERS], hc[REGISTERS], H[REGISTERS];
            for (int i = 0; i < LANES; i++) {
                pa[i / WIDE][i % WIDE] = P[2 * (row[i] * n + t)];
                pc[i / WIDE][i % WIDE] = P[2 * (row[i] * n + t) + 1];
            }
            EACH {
                H[b] = U[b] + 0.5 * (pa[b] * pa[b] + pc[b] * pc[b]);
                xa[b] = qa[b]; xc[b] = qc[b]; ha[b] = ga[b]; hc[b] = gc[b];
            }
            for (ptrdiff_t step = 0; step < L; step++) {
                const double kick = step ? eps : 0.5 * eps;
                EACH {
                    pa[b] -= kick * ha[b]; pc[b] -= kick * hc[b];
                    xa[b] += eps * pa[b]; xc[b] += eps * pc[b];
                }
                energy(xa, xc, data, days, centre, V, ha, hc);
            }
            EACH {
                pa[b] -= 0.5 * eps * ha[b]; pc[b] -= 0.5 * eps * hc[b];
                const lanes gain = H[b] - V[b] - 0.5 * (pa[b] * pa[b] + pc[b] * pc[b]);
                for (int i = 0; i < WIDE; i++) {
                    const int lane = WIDE * b + i;
                    if (limit[row[lane] * n + t] < gain[i]) {
                        qa[b][i] = xa[b][i]; qc[b][i] = xc[b][i]; U[b][i] = V[b][i]; ga[b][i] = ha[b][i]; gc[b][i] = hc[b][i];
                    }
                    if (first + lane < m) {
                        out[2 * (row[lane] * n + t)] = qa[b][i];
                        out[2 * (row[lane] * n + t) + 1] = qc[b][i];
                    }
                }
            }
        }
    }
}

void one(double a, double c, const double *data, ptrdiff_t days, const double *centre, double *out)
{
    lanes x[REGISTERS], y[REGISTERS], U[REGISTERS], ga[REGISTERS], gc[REGISTERS];
    EACH { x[b] = a - (lanes){0}; y[b] = c - (lanes){0}; }
    energy(x, y, data, days, centre, U, ga, gc);
    out[0] = U[0][0]; out[1] = ga[0][0]; out[2] = gc[0][0];
}
"""
_FLAGS = ("-O3", "-march=native", "-mprefer-vector-width=512", "-ffp-contract=fast", "-Wno-psabi", "-shared", "-fPIC")
Path("hmc.c").write_text(_SOURCE, encoding="ascii")
subprocess.run(["gcc", *_FLAGS, "-o", "hmc.so", "hmc.c", "-lm"], check=True)  # noqa: S603, S607  # fixed command, in a guest
_ffi = FFI()
_ffi.cdef("""
void chains(const double *Q0, double eps, ptrdiff_t L, const double *P, const double *limit, ptrdiff_t m, ptrdiff_t n,
            const double *data, ptrdiff_t days, const double *centre, double *out);
void one(double a, double c, const double *data, ptrdiff_t days, const double *centre, double *out);
""")
_library = _ffi.dlopen("./hmc.so")
_CENTRE = np.log([0.4, 0.15])


def _at(array: np.ndarray) -> object:
    return _ffi.cast("double *", array.ctypes.data)


def epidemic(theta: np.ndarray, data: np.ndarray) -> tuple[float, np.ndarray]:
    """Return U and its gradient (2,); arguments as in the oracle."""
    data, out = np.ascontiguousarray(data), np.empty(3)
    _library.one(theta[0], theta[1], _at(data), len(data), _at(_CENTRE), _at(out))
    return float(out[0]), out[1:]


def leapfrog(f: Callable, q: np.ndarray, p: np.ndarray, eps: float, L: int) -> tuple[np.ndarray, np.ndarray]:
    """Return position and momentum after L steps; arguments as in the oracle."""
    q, p, _, _ = _leap(f, q, p, f(q)[1], eps, L)
    return q, p


def _leap(f: Callable, q: np.ndarray, p: np.ndarray, slope: np.ndarray, eps: float, L: int) -> tuple:
    q, p, U = q.copy(), p.copy(), 0.0
    for step in range(L):
        p -= (eps if step else eps / 2) * slope
        q += eps * p
        U, slope = f(q)
    return q, p - eps / 2 * slope, U, slope


def hmc(f: Callable, q0: np.ndarray, eps: float, L: int, P: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return n samples (n, d), with n L + 1 evaluations; arguments as in the oracle."""
    q, out = q0.copy(), np.empty(P.shape)
    if not len(P):
        return out
    U, slope = f(q)
    for i, p in enumerate(P):
        end, last, V, there = _leap(f, q, p, slope, eps, L)
        if np.log(w[i]) < U + p @ p / 2 - V - last @ last / 2:
            q, U, slope = end, V, there
        out[i] = q
    return out


def chains(Q0: np.ndarray, eps: float, L: int, P: np.ndarray, w: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Return the samples (m, n, 2) of m chains; arguments as in the oracle."""
    Q0, P, limit, data = (np.ascontiguousarray(x) for x in (Q0, P, np.log(w), data))
    out = np.empty(P.shape)
    _library.chains(_at(Q0), eps, L, _at(P), _at(limit), P.shape[0], P.shape[1], _at(data), len(data), _at(_CENTRE), _at(out))
    return out
