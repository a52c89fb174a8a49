"""C through cffi: pieces of the line beside each other in a register, joined by what each piece's ends do to its inside."""

import subprocess
from itertools import pairwise
from pathlib import Path

import cffi
import numpy as np

GAMMA = 1 - 2**-0.5


def jacobian(y, rhs):
    return bands(y, rhs(y), rhs)


def bands(y, base, rhs):
    m = len(y)
    change = np.zeros((5, m + 4))  # of every entry, for every colour, with two zeros at both ends
    h = 2.0**-26 * np.maximum(1, abs(y))
    for colour in range(min(5, m)):
        moved = np.array(y)
        moved[colour::5] += h[colour::5]
        change[colour, 2:-2] = rhs(moved) - base
    columns = np.arange(m)
    return np.array([change[columns % 5, columns + shift] / h for shift in range(5)])


def step(y, dt, n, rhs):
    rows = np.tile(y, (n + 1, 1))
    m = len(y)
    row, column = np.indices((m, m))
    inside = abs(row - column) <= 2
    for old, new in pairwise(rows):
        base = rhs(old)
        M = np.eye(m)
        M[inside] -= GAMMA * dt * bands(old, base, rhs)[(2 + row - column)[inside], column[inside]]
        k1 = np.linalg.solve(M, base)
        k2 = np.linalg.solve(M, rhs(old + dt * k1) - 2 * k1)
        new[:] = old + dt * (1.5 * k1 + 0.5 * k2)
    return rows


def robertson(t):
    """Two species; the third is what is missing to one."""
    x, y, rows = 1.0, 0.0, []
    for i in range(len(t)):
        if i:
            dt = t[i] - t[i - 1]
            g = GAMMA * dt
            z = 1 - x - y
            # the inverse of 1 - g J, with J of (x, y) where z = 1 - x - y
            jxx, jxy = -0.04 - 1e4 * y, 1e4 * z - 1e4 * y
            jyx, jyy = 0.04 + 1e4 * y, -1e4 * z + 1e4 * y - 6e7 * y
            a, b, c, d = 1 - g * jxx, -g * jxy, -g * jyx, 1 - g * jyy
            determinant = a * d - b * c
            f, h = pair(x, y)
            k, m = (d * f - b * h) / determinant, (a * h - c * f) / determinant
            f, h = pair(x + dt * k, y + dt * m)
            f, h = f - 2 * k, h - 2 * m
            x += dt * (1.5 * k + 0.5 * (d * f - b * h) / determinant)
            y += dt * (1.5 * m + 0.5 * (a * h - c * f) / determinant)
        rows.append([x, y, 1 - x - y])
    return np.array(rows).reshape(len(t), 3)


def pair(x, y):
    gain = 1e4 * y * (1 - x - y)
    return gain - 0.04 * x, 0.04 * x - gain - 3e7 * y * y


SOURCE = r"""
#include <stddef.h>
#ifdef __AVX512F__
enum { PIECES = 8 };
#else
enum { PIECES = 4 };
#endif
int pieces = PIECES;
typedef double row __attribute__((vector_size(8 * PIECES))); /* a number of each piece */
enum { u, v };

static double A, B, d, g, s;

/* out = f(y) - twice k; a piece's neighbours are the lanes beside it */
static void rates(ptrdiff_t L, const row (*y)[2], const row (*k)[2], double twice, row (*out)[2])
{
    const double edge[2] = {A, B / A};
    row above[2], below[2];
    for (int c = 0; c < 2; c++)
        for (int l = 0; l < PIECES; l++) {
            above[c][l] = l ? y[L - 1][c][l - 1] : edge[c];
            below[c][l] = l < PIECES - 1 ? y[0][c][l + 1] : edge[c];
        }
    for (ptrdiff_t i = 0; i < L; i++) {
        const row *left = i ? y[i - 1] : above, *right = i < L - 1 ? y[i + 1] : below;
        const row x = y[i][u], z = y[i][v], w = x * x * z;
        out[i][u] = A + w - (B + 1) * x + d * (left[u] - 2 * x + right[u]) - twice * k[i][u];
        out[i][v] = B * x - w + d * (left[v] - 2 * z + right[v]) - twice * k[i][v];
    }
}

static void diagonal(const row *y, const row fixed, row *m)
{
    const row x = y[u], z = y[v];
    m[0] = 1 + g * (B + 1 - 2 * x * z) + 2 * s + fixed;
    m[1] = -g * x * x;
    m[2] = g * (2 * x * z - B);
    m[3] = 1 + g * x * x + 2 * s + fixed;
}

/* H: inverses of the diagonal blocks; P, Q: answers of a piece to its left and right separator; R: the separators' inverses */
static void factor(ptrdiff_t L, const row (*y)[2], const row *fixed, row (*H)[4], row (*P)[4], row (*Q)[4],
                   double (*R)[4], double (*up)[4], double (*low)[4])
{
    row m[4], pair[4] = {{0}, {0}, {0}, {0}};
    pair[0] += 1, pair[3] += 1;
    const ptrdiff_t last = L - 1;
    for (ptrdiff_t i = 0; i < last; i++) {
        diagonal(y[i], fixed[i], m);
        if (i)
            for (int c = 0; c < 4; c++)
                m[c] -= s * s * H[i - 1][c];
        const row r = 1 / (m[0] * m[3] - m[1] * m[2]);
        const row a = s * r * m[3], b = -s * r * m[1], c = -s * r * m[2], e = s * r * m[0];
        H[i][0] = r * m[3], H[i][1] = -r * m[1], H[i][2] = -r * m[2], H[i][3] = r * m[0];
        const row pa = pair[0], pb = pair[1], pc = pair[2], pe = pair[3];
        P[i][0] = pair[0] = a * pa + b * pc, P[i][1] = pair[1] = a * pb + b * pe;
        P[i][2] = pair[2] = c * pa + e * pc, P[i][3] = pair[3] = c * pb + e * pe;
    }
    for (int c = 0; c < 4; c++)
        Q[last - 1][c] = s * H[last - 1][c];
    for (ptrdiff_t i = last - 2; i >= 0; i--) {
        const row a = s * H[i][0], b = s * H[i][1], c = s * H[i][2], e = s * H[i][3];
        for (int k = 0; k < 2; k++) {
            Q[i][k] = a * Q[i + 1][k] + b * Q[i + 1][k + 2];
            Q[i][k + 2] = c * Q[i + 1][k] + e * Q[i + 1][k + 2];
            P[i][k] += a * P[i + 1][k] + b * P[i + 1][k + 2];
            P[i][k + 2] += c * P[i + 1][k] + e * P[i + 1][k + 2];
        }
    }
    diagonal(y[last], fixed[last], m);
    for (int l = 0; l < PIECES; l++) {
        double a[4], right[4];
        for (int c = 0; c < 4; c++) {
            low[l][c] = l ? s * P[last - 1][c][l] : 0;
            right[c] = l < PIECES - 1 ? s * Q[0][c][l + 1] : 0;
            a[c] = m[c][l] - s * Q[last - 1][c][l] - (l < PIECES - 1 ? s * P[0][c][l + 1] : 0);
        }
        if (l)
            for (int k = 0; k < 2; k++) {
                a[k] -= low[l][0] * up[l - 1][k] + low[l][1] * up[l - 1][k + 2];
                a[k + 2] -= low[l][2] * up[l - 1][k] + low[l][3] * up[l - 1][k + 2];
            }
        const double r = 1 / (a[0] * a[3] - a[1] * a[2]);
        R[l][0] = r * a[3], R[l][1] = -r * a[1], R[l][2] = -r * a[2], R[l][3] = r * a[0];
        for (int k = 0; k < 2; k++) {
            up[l][k] = R[l][0] * right[k] + R[l][1] * right[k + 2];
            up[l][k + 2] = R[l][2] * right[k] + R[l][3] * right[k + 2];
        }
    }
}

/* k comes in as the right-hand side */
static void solve(ptrdiff_t L, row (*k)[2], const row (*H)[4], const row (*P)[4], const row (*Q)[4],
                  const double (*R)[4], const double (*up)[4], const double (*low)[4])
{
    const ptrdiff_t last = L - 1;
    row p = {0}, q = {0};
    for (ptrdiff_t i = 0; i < last; i++) {
        const row x = k[i][u] + s * p, z = k[i][v] + s * q;
        k[i][u] = p = H[i][0] * x + H[i][1] * z;
        k[i][v] = q = H[i][2] * x + H[i][3] * z;
    }
    p -= p, q -= q;
    for (ptrdiff_t i = last - 1; i >= 0; i--) {
        const row x = s * p, z = s * q;
        k[i][u] = p = k[i][u] + H[i][0] * x + H[i][1] * z;
        k[i][v] = q = k[i][v] + H[i][2] * x + H[i][3] * z;
    }
    double x = 0, z = 0, xs[PIECES + 2] = {0}, zs[PIECES + 2] = {0}; /* between pieces, and the boundary */
    for (int l = 0; l < PIECES; l++) {
        const double f = k[last][u][l] + s * (k[last - 1][u][l] + (l < PIECES - 1 ? k[0][u][l + 1] : 0)) + low[l][0] * x + low[l][1] * z;
        const double h = k[last][v][l] + s * (k[last - 1][v][l] + (l < PIECES - 1 ? k[0][v][l + 1] : 0)) + low[l][2] * x + low[l][3] * z;
        xs[l + 1] = x = R[l][0] * f + R[l][1] * h;
        zs[l + 1] = z = R[l][2] * f + R[l][3] * h;
    }
    for (int l = PIECES - 2; l >= 0; l--) {
        xs[l + 1] += up[l][0] * xs[l + 2] + up[l][1] * zs[l + 2];
        zs[l + 1] += up[l][2] * xs[l + 2] + up[l][3] * zs[l + 2];
    }
    row x0, z0, x1, z1;
    for (int l = 0; l < PIECES; l++)
        x0[l] = xs[l], z0[l] = zs[l], x1[l] = xs[l + 1], z1[l] = zs[l + 1];
    k[last][u] = x1, k[last][v] = z1;
    for (ptrdiff_t i = 0; i < last; i++) {
        k[i][u] += P[i][0] * x0 + P[i][1] * z0 + Q[i][0] * x1 + Q[i][1] * z1;
        k[i][v] += P[i][2] * x0 + P[i][3] * z0 + Q[i][2] * x1 + Q[i][3] * z1;
    }
}

void march(ptrdiff_t L, double *state, double *fixed, double *space, double a, double b, double strength, double dt,
           double gamma, ptrdiff_t n)
{
    A = a, B = b, d = strength, g = gamma * dt, s = g * d;
    row (*y)[2] = (row (*)[2])state, (*z)[2] = (row (*)[2])space;
    row (*k1)[2] = z + L, (*k2)[2] = k1 + L;
    row (*H)[4] = (row (*)[4])(k2 + L), (*P)[4] = H + L, (*Q)[4] = P + L;
    double R[PIECES][4], up[PIECES][4], low[PIECES][4];
    for (ptrdiff_t step = 0; step < n; step++) {
        factor(L, y, (row *)fixed, H, P, Q, R, up, low);
        rates(L, y, y, 0, k1);
        solve(L, k1, H, P, Q, R, up, low);
        for (ptrdiff_t i = 0; i < L; i++)
            for (int c = 0; c < 2; c++)
                z[i][c] = y[i][c] + dt * k1[i][c];
        rates(L, z, k1, 2, k2);
        solve(L, k2, H, P, Q, R, up, low);
        for (ptrdiff_t i = 0; i < L; i++)
            for (int c = 0; c < 2; c++)
                y[i][c] += dt * (1.5 * k1[i][c] + 0.5 * k2[i][c]);
    }
}
"""
Path("march.c").write_text(SOURCE)
FLAGS = ["-O3", "-march=native", "-mprefer-vector-width=512", "-ffast-math", "-w", "-shared", "-fPIC"]
subprocess.run(["gcc", *FLAGS, "march.c", "-o", "march.so"], check=True)
ffi = cffi.FFI()
ffi.cdef(
    "void march(ptrdiff_t L, double *state, double *fixed, double *space, double a, double b, double strength, double dt,"
    " double gamma, ptrdiff_t n); extern int pieces;"
)
library = ffi.dlopen("./march.so")


def aligned(*shape):
    raw = np.zeros(int(np.prod(shape)) + 8)
    skip = -raw.ctypes.data // 8 % 8
    return raw[skip : skip + int(np.prod(shape))].reshape(shape)


def brusselator(y, A, B, D, dt, n):
    N = len(y) // 2
    pieces = library.pieces
    L = max(2, -(-N // pieces))
    line = np.tile([A, B / A], (pieces * L, 1))  # cells beyond the last one are the boundary, and stay
    line[:N] = y.reshape(N, 2)
    state, fixed, space = aligned(L, 2, pieces), aligned(L, pieces), aligned(L, 18, pieces)
    state[:] = line.reshape(pieces, L, 2).transpose(1, 2, 0)
    fixed[:] = 1e100 * (np.arange(pieces * L) >= N).reshape(pieces, L).T
    pointers = [ffi.cast("double *", array.ctypes.data) for array in (state, fixed, space)]
    library.march(L, *pointers, A, B, D * (N + 1) ** 2, dt, GAMMA, n)
    return state.transpose(2, 0, 1).reshape(-1)[: 2 * N].copy()
