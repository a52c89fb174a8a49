"""The continuous adjoint in C: the way there keeps states and rates, the way back takes midpoints from the cubic between them.

gcc makes vectors of the loops over recordings, and of tanh (-Ofast, glibc's libmvec).
"""

import subprocess
from pathlib import Path

import numpy as np
from cffi import FFI

H, BLOCK = 50, 64

SOURCE = r"""
#include <math.h>
#include <stddef.h>
#include <string.h>
enum { H = 50, B = 64 };

static void rate(const double *w, const double *b2, const double *x, const double *y, double *restrict fx, double *restrict fy, double *restrict s)
{
    double vx[B], vy[B];
    for (int j = 0; j < B; j++) { vx[j] = x[j] * x[j] * x[j]; vy[j] = y[j] * y[j] * y[j]; fx[j] = b2[0]; fy[j] = b2[1]; }
    for (int h = 0; h < H; h++)
        for (int j = 0; j < B; j++) {
            const double t = tanh(w[5 * h] * vx[j] + w[5 * h + 1] * vy[j] + w[5 * h + 2]);
            s[h * B + j] = t;
            fx[j] += w[5 * h + 3] * t;
            fy[j] += w[5 * h + 4] * t;
        }
}

/* a = (df/du)^T l; g += weight l^T df/dp */
static void pull(const double *w, const double *restrict s, const double *x, const double *y, const double *lx, const double *ly,
                 double weight, double *restrict ax, double *restrict ay, double *restrict g)
{
    double vx[B], vy[B];
    for (int j = 0; j < B; j++) { vx[j] = x[j] * x[j] * x[j]; vy[j] = y[j] * y[j] * y[j]; ax[j] = ay[j] = 0; }
    for (int h = 0; h < H; h++) {
        double g0 = 0, g1 = 0, g2 = 0, g3 = 0, g4 = 0;
        for (int j = 0; j < B; j++) {
            const double t = s[h * B + j], d = (w[5 * h + 3] * lx[j] + w[5 * h + 4] * ly[j]) * (1 - t * t);
            ax[j] += w[5 * h] * d;
            ay[j] += w[5 * h + 1] * d;
            g0 += d * vx[j]; g1 += d * vy[j]; g2 += d; g3 += t * lx[j]; g4 += t * ly[j];
        }
        g[5 * h] += weight * g0; g[5 * h + 1] += weight * g1; g[5 * h + 2] += weight * g2;
        g[5 * h + 3] += weight * g3; g[5 * h + 4] += weight * g4;
    }
    for (int j = 0; j < B; j++) {
        ax[j] *= 3 * x[j] * x[j]; ay[j] *= 3 * y[j] * y[j];
        g[5 * H] += weight * lx[j]; g[5 * H + 1] += weight * ly[j];
    }
}

/* for one block: start (2, B), data (m, 2, B), weights of recordings (B); U and F (n + 1, 2, B) */
void block(const double *w, const double *b2, const double *start, const double *data, const double *use, ptrdiff_t n, const double *hs,
           const ptrdiff_t *mark, double (*U)[2][B], double (*F)[2][B], double *g)
{
    static double sa[H * B], sb[H * B], sm[H * B];
    double k[4][2][B], v[2][B];
    memcpy(U[0], start, sizeof U[0]);
    for (ptrdiff_t i = 0; i < n; i++) {
        const double h = hs[i], *c = (double *)U[i];
        rate(w, b2, U[i][0], U[i][1], k[0][0], k[0][1], sa);
        memcpy(F[i], k[0], sizeof F[i]);
        for (int stage = 1; stage < 4; stage++) {
            const double a = stage == 3 ? h : h / 2, *f = (double *)k[stage - 1];
            for (int j = 0; j < 2 * B; j++) ((double *)v)[j] = c[j] + a * f[j];
            rate(w, b2, v[0], v[1], k[stage][0], k[stage][1], sa);
        }
        for (int e = 0; e < 2; e++)
            for (int j = 0; j < B; j++)
                U[i + 1][e][j] = U[i][e][j] + h / 6 * (k[0][e][j] + 2 * k[1][e][j] + 2 * k[2][e][j] + k[3][e][j]);
    }
    rate(w, b2, U[n][0], U[n][1], F[n][0], F[n][1], sb);
    double l[2][B] = {{0}}, a[4][2][B], mid[2][B];
    for (ptrdiff_t i = n - 1; i >= 0; i--) {
        const double h = hs[i];
        if (mark[i] >= 0)
            for (int e = 0; e < 2; e++)
                for (int j = 0; j < B; j++) l[e][j] += use[j] * (U[i + 1][e][j] - data[(mark[i] * 2 + e) * B + j]);
        for (int e = 0; e < 2; e++)
            for (int j = 0; j < B; j++)
                mid[e][j] = (U[i][e][j] + U[i + 1][e][j]) / 2 + h / 8 * (F[i][e][j] - F[i + 1][e][j]);
        rate(w, b2, mid[0], mid[1], v[0], v[1], sm);
        pull(w, sb, U[i + 1][0], U[i + 1][1], l[0], l[1], h / 6, a[0][0], a[0][1], g);
        for (int e = 0; e < 2; e++) for (int j = 0; j < B; j++) v[e][j] = l[e][j] + h / 2 * a[0][e][j];
        pull(w, sm, mid[0], mid[1], v[0], v[1], h / 3, a[1][0], a[1][1], g);
        for (int e = 0; e < 2; e++) for (int j = 0; j < B; j++) v[e][j] = l[e][j] + h / 2 * a[1][e][j];
        pull(w, sm, mid[0], mid[1], v[0], v[1], h / 3, a[2][0], a[2][1], g);
        for (int e = 0; e < 2; e++) for (int j = 0; j < B; j++) v[e][j] = l[e][j] + h * a[2][e][j];
        double unused[2][B];
        rate(w, b2, U[i][0], U[i][1], unused[0], unused[1], sa);
        pull(w, sa, U[i][0], U[i][1], v[0], v[1], h / 6, a[3][0], a[3][1], g);
        memcpy(sb, sa, sizeof sb);
        for (int e = 0; e < 2; e++)
            for (int j = 0; j < B; j++) l[e][j] += h / 6 * (a[0][e][j] + 2 * a[1][e][j] + 2 * a[2][e][j] + a[3][e][j]);
    }
}
"""
Path("adjoint.c").write_text(SOURCE, encoding="ascii")
FLAGS = ["-Ofast", "-march=native", "-mprefer-vector-width=512", "-shared", "-fPIC"]
subprocess.run(["gcc", *FLAGS, "-o", "adjoint.so", "adjoint.c", "-lm"], check=True)
ffi = FFI()
ffi.cdef(
    "void block(double *w, double *b2, double *start, double *data, double *use, ptrdiff_t n, double *hs, ptrdiff_t *mark,"
    " double *U, double *F, double *g);"
)
library = ffi.dlopen("./adjoint.so")


def pointer(array, kind="double *"):
    return ffi.cast(kind, array.ctypes.data)


def pullback(y, u, p):
    W1, b1, W2 = p[: 2 * H].reshape(H, 2), p[2 * H : 3 * H], p[3 * H : 5 * H].reshape(2, H)
    s = np.tanh(W1 @ u**3 + b1)
    d = (W2.T @ y) * (1 - s**2)
    return (W1.T @ d) * 3 * u**2, np.concatenate([np.outer(d, u**3).ravel(), d, y[0] * s, y[1] * s, y])


def adjoint_grad(p, u0, t, data, dt):
    k = len(u0)
    gaps = np.diff(t, prepend=0.0)
    counts = np.ceil(gaps / dt - 1e-9).astype(np.int64)
    hs = np.repeat(gaps / np.maximum(counts, 1), counts)
    mark = np.full(len(hs), -1)
    for i, end in enumerate(np.cumsum(counts)):
        if counts[i]:
            mark[end - 1] = i
    w = np.column_stack([p[: 2 * H].reshape(H, 2), p[2 * H : 3 * H], p[3 * H : 5 * H].reshape(2, H).T]).copy()
    b2, sums, tape = p[5 * H :].copy(), np.zeros(5 * H + 2), np.empty((2, len(hs) + 1, 2, BLOCK))
    for first in range(0, k, BLOCK):
        chosen = np.minimum(np.arange(first, first + BLOCK), k - 1)
        use = np.where(np.arange(first, first + BLOCK) < k, 2.0, 0.0)
        start, measured = u0[chosen].T.copy(), data[chosen].transpose(1, 2, 0).copy()
        pointers = [pointer(a) for a in (w, b2, start, measured, use)]
        library.block(
            *pointers,
            len(hs),
            pointer(hs),
            pointer(mark, "ptrdiff_t *"),
            pointer(tape[0]),
            pointer(tape[1]),
            pointer(sums),
        )
    rows = sums[:-2].reshape(H, 5)
    return np.concatenate([rows[:, :2].ravel(), rows[:, 2], rows[:, 3], rows[:, 4], sums[-2:]])


def train(u0, t, data, seed):
    rng = np.random.default_rng(seed)
    p = np.concatenate([rng.normal(0, 1, 3 * H), rng.normal(0, 0.1, 2 * H), [0, 0]])
    mean, square, steps = np.zeros(p.size), np.zeros(p.size), 1000
    for j in range(1, steps + 1):
        gradient = adjoint_grad(p, u0, t, data, 0.1) / data.size
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        rate = 0.01 * (1 + np.cos(np.pi * j / steps))
        p = p - rate * (mean / (1 - 0.9**j)) / (np.sqrt(square / (1 - 0.999**j)) + 1e-10)
    return p
