"""C through cffi: rows of the matrix in Cartesian axes of the orbit's plane, sines of the C library's vector functions; a complex step elsewhere."""

import subprocess
from pathlib import Path

import cffi
import numpy as np

MU = 398600.4418

SOURCE = r"""
#include <stddef.h>

__attribute__((const, simd("notinbranch"))) double sin(double);
__attribute__((const, simd("notinbranch"))) double cos(double);
double sqrt(double), rint(double), fabs(double), atan2(double, double);
enum { LANES = 64 };
static const double MU = 398600.4418, TURN = 6.283185307179586, TURN_LOW = 2.4492935982947064e-16;

static double dot(const double *a, const double *b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

static void cross(const double *a, const double *b, double *c)
{
    for (int i = 0; i < 3; i++)
        c[i] = a[(i + 1) % 3] * b[(i + 2) % 3] - a[(i + 2) % 3] * b[(i + 1) % 3];
}

void catalogue(const double *x, const double *P, const double *t, double *out, ptrdiff_t m, ptrdiff_t k)
{
    for (ptrdiff_t o = 0; o < m; o++, x += 6, P += 36) {
        const double *r = x, *v = x + 3;
        const double r0 = sqrt(dot(r, r)), a = 1 / (2 / r0 - dot(v, v) / MU), n = sqrt(MU / a) / a, unit = n * a;
        double axis[3][3];
        cross(r, v, axis[2]);
        const double h = sqrt(dot(axis[2], axis[2]));
        for (int i = 0; i < 3; i++) axis[0][i] = r[i] / r0, axis[2][i] /= h;
        cross(axis[2], axis[0], axis[1]);
        /* P in R, T, N of the start; velocities in n km/s, so that all is km */
        double half[6][6], Q[6][6];
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < 6; j++)
                half[i][j] = (axis[i % 3][0] * P[18 * (i / 3) + j] + axis[i % 3][1] * P[18 * (i / 3) + 6 + j]
                    + axis[i % 3][2] * P[18 * (i / 3) + 12 + j]) / (i < 3 ? 1 : n);
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < 6; j++)
                Q[i][j] = dot(half[i] + 3 * (j / 3), axis[j % 3]) / (j < 3 ? 1 : n);
        const double d = r0 / a, sg = dot(r, v) / (a * unit), vr = sg / d, vt = h / (r0 * unit);
        const double ec = 1 - d, e = sqrt(ec * ec + sg * sg), E0 = atan2(sg, ec), M0 = E0 - sg;
        const double c0 = cos(E0), s0 = sin(E0), over_d = 1 / d, dd = over_d * over_d;
        const int rounds = e < 0.3 ? 2 : 3;
        for (ptrdiff_t first = 0; first < k; first += LANES) {
            const int width = k - first < LANES ? k - first : LANES;
            double M[LANES], E[LANES], turns[LANES], R[LANES], T[LANES], N[LANES];
            for (int j = 0; j < LANES; j++) M[j] = j < width ? t[first + j] : 0;
            for (int j = 0; j < LANES; j++) {
                const double whole = M0 + n * M[j];
                turns[j] = rint(whole * (1 / TURN));
                M[j] = (whole - turns[j] * TURN) - turns[j] * TURN_LOW;
                const double size = fabs(M[j]), near = 1e9 * size;
                E[j] = size + 0.85 * e * (near < 1 ? near : 1);
            }
            for (int i = 0; i < rounds; i++)
                for (int j = 0; j < LANES; j++) {
                    const double s = sin(E[j]), c = cos(E[j]);
                    const double f0 = fabs(M[j]) - E[j] + e * s, f1 = 1 - e * c, f2 = 0.5 * e * s, f3 = e * c / 6;
                    double step = f0 / f1;
                    step = f0 / (f1 + step * f2);
                    E[j] += f0 / (f1 + step * (f2 + step * f3));
                }
            for (int j = 0; j < LANES; j++) {
                const double sign = M[j] < 0 ? -1 : 1, sE = sign * sin(E[j]), cE = cos(E[j]);
                const double X = (sign * E[j] - E0) + turns[j] * TURN;
                const double S = sE * c0 - cE * s0, C = cE * c0 + sE * s0, over = 1 / (1 - e * cE);
                const double U2 = 1 - C, U3 = X - S, f = 1 - U2 * over_d, g = d * S + sg * U2;
                const double p1 = 0.5 * (U3 - X * U2), p2 = 0.5 * X * S - U2, p3 = 0.5 * X * U2 - 1.5 * U3;
                const double K = d * p1 + sg * p2 + p3;
                /* differentials by the start's R, T and their velocities */
                const double x0 = -(S + U2 * vr - 2 * K * dd) * over, x1 = -U2 * vt * over;
                const double x2 = -(U2 * d - 2 * K * vr) * over, x3 = 2 * K * vt * over;
                const double u0 = S * x0 - 2 * p2 * dd, u1 = S * x1, u2 = S * x2 - 2 * p2 * vr, u3 = S * x3 - 2 * p2 * vt;
                const double g0 = -U2 * x0 + 2 * p3 * dd, g1 = -U2 * x1, g2 = -U2 * x2 + 2 * p3 * vr, g3 = -U2 * x3 + 2 * p3 * vt;
                const double a0 = f + U2 * over_d - u0 + vr * g0, a1 = vr * g1 - u1, a2 = g + vr * g2 - u2, a3 = vr * g3 - u3;
                const double b0 = vt * g0, b1 = f + vt * g1, b2 = vt * g2, b3 = g + vt * g3;
                const double px = (f * d + g * vr) * over, py = g * vt * over;
                const double w0 = px * a0 + py * b0, w1 = px * a1 + py * b1, w2 = px * a2 + py * b2, w3 = px * a3 + py * b3;
                const double z0 = px * b0 - py * a0, z1 = px * b1 - py * a1, z2 = px * b2 - py * a2, z3 = px * b3 - py * a3;
#define VARIANCE(w) (w##0 * (Q[0][0] * w##0 + 2 * (Q[0][1] * w##1 + Q[0][3] * w##2 + Q[0][4] * w##3)) \
                + w##1 * (Q[1][1] * w##1 + 2 * (Q[1][3] * w##2 + Q[1][4] * w##3)) \
                + w##2 * (Q[3][3] * w##2 + 2 * Q[3][4] * w##3) + w##3 * Q[4][4] * w##3)
                R[j] = VARIANCE(w), T[j] = VARIANCE(z);
                N[j] = f * (Q[2][2] * f + 2 * Q[2][5] * g) + g * Q[5][5] * g;
            }
            for (int j = 0; j < LANES; j++) {
                R[j] = R[j] > 0 ? R[j] : 0, T[j] = T[j] > 0 ? T[j] : 0, N[j] = N[j] > 0 ? N[j] : 0;
                R[j] = sqrt(R[j]), T[j] = sqrt(T[j]), N[j] = sqrt(N[j]);
            }
            double *row = out + 3 * (o * k + first);
            for (int j = 0; j < width; j++) row[3 * j] = R[j], row[3 * j + 1] = T[j], row[3 * j + 2] = N[j];
        }
    }
}
"""
Path("plane.c").write_text(SOURCE)
FLAGS = "-O3 -march=native -mprefer-vector-width=512 -fno-math-errno -fno-trapping-math -ffp-contract=fast"
FLAGS += " -ffinite-math-only -fno-signed-zeros -fno-builtin-sin -fno-builtin-cos -shared -fPIC"
subprocess.run(["gcc", *FLAGS.split(), "plane.c", "-o", "plane.so", "-lmvec", "-lm"], check=True)
ffi = cffi.FFI()
ffi.cdef("void catalogue(const double *x, const double *P, const double *t, double *out, ptrdiff_t m, ptrdiff_t k);")
library = ffi.dlopen("./plane.so")


def move(y, t):
    """Position and velocity after t; y may carry derivatives in its imaginary part."""
    r, v = y[:3], y[3:]
    r0 = np.sqrt(r @ r)
    a = 1 / (2 / r0 - v @ v / MU)
    n = np.sqrt(MU / a) / a
    ec, es = 1 - r0 / a, (r @ v) / np.sqrt(MU * a)
    turn = n * t
    whole = 2 * np.pi * np.round(turn.real / (2 * np.pi))
    turn = turn - whole

    def rest(x):
        return x - ec * np.sin(x) + 2 * es * np.sin(x / 2) ** 2 - turn

    low, high = turn.real - 2, turn.real + 2
    for _ in range(60):  # bisection cannot run away
        middle = (low + high) / 2
        low, high = (middle, high) if rest(middle).real < 0 else (low, middle)
    x = (low + high) / 2
    for _ in range(2):  # and Newton's method carries the derivative
        x = x - rest(x) / (1 - ec * np.cos(x) + es * np.sin(x))
    s, u2 = np.sin(x), 2 * np.sin(x / 2) ** 2
    r1 = a * (1 - ec * np.cos(x) + es * s)
    f, g = 1 - a / r0 * u2, (r0 / a * s + es * u2) / n
    f_dot, g_dot = -np.sqrt(MU * a) * s / (r0 * r1), 1 - a / r1 * u2
    return np.concatenate([f * r + g * v, f_dot * r + g_dot * v])


def propagate(r, v, t):
    return move(np.concatenate([r, v]), t)


def transition(r, v, t):
    columns = []
    for j in range(6):
        y = np.concatenate([r, v]).astype(complex)
        y[j] += 1e-100j
        columns.append(move(y, t).imag / 1e-100)
    return np.array(columns).T


def covariance(r, v, P, t):
    Phi = transition(r, v, t)
    C = Phi @ P @ Phi.T
    i, j = np.triu_indices(6)
    C[j, i] = C[i, j]
    return C


def forecast(x, P, t, out):
    x, P, t = (np.ascontiguousarray(array) for array in (x, P, t))
    filled = out if out.flags.c_contiguous else np.empty(out.shape)
    given = [ffi.cast("double *", array.ctypes.data) for array in (x, P, t, filled)]
    library.catalogue(*given, len(x), len(t))
    if filled is not out:
        out[...] = filled
