"""C through cffi: 32 members of a block take a step in a loop that gcc vectorises, all derivatives written out; programs on rows of an array."""

import math
import subprocess
from pathlib import Path

import cffi
import numpy as np

Path("march.c").write_text(r"""
enum { N = 32 };

void march(const double *P, double x0, double y0, double dt, long m, long n, long every, double *out)
{
    const double half = dt / 2, sixth = dt / 6;
    for (long first = 0; first < m; first += N) {
        double w[10][N] = {{0}}, A[N], B[N], C[N], D[N];
        for (int i = 0; i < N; i++) {
            const double *p = P + 4 * (first + i < m ? first + i : first);
            A[i] = p[0], B[i] = p[1], C[i] = p[2], D[i] = p[3], w[0][i] = x0, w[1][i] = y0;
        }
        for (long step = 0; step < n; step++) {
            for (int i = 0; i < N; i++) {
                const double al = A[i], be = B[i], ga = C[i], de = D[i];
                const double w0 = w[0][i];
                const double w1 = w[1][i];
                const double w2 = w[2][i];
                const double w3 = w[3][i];
                const double w4 = w[4][i];
                const double w5 = w[5][i];
                const double w6 = w[6][i];
                const double w7 = w[7][i];
                const double w8 = w[8][i];
                const double w9 = w[9][i];
                const double a0 = al - be * w1;
                const double b0 = de * w0 - ga;
                const double c0 = be * w0;
                const double d0 = de * w1;
                const double e0 = w0 * w1;
                const double k0_0 = w0 * a0;
                const double k0_1 = w1 * b0;
                const double k0_2 = a0 * w2 - c0 * w6 + w0;
                const double k0_6 = d0 * w2 + b0 * w6;
                const double k0_3 = a0 * w3 - c0 * w7 - e0;
                const double k0_7 = d0 * w3 + b0 * w7;
                const double k0_4 = a0 * w4 - c0 * w8;
                const double k0_8 = d0 * w4 + b0 * w8 - w1;
                const double k0_5 = a0 * w5 - c0 * w9;
                const double k0_9 = d0 * w5 + b0 * w9 + e0;
                const double z0_0 = w0 + half * k0_0;
                const double z0_1 = w1 + half * k0_1;
                const double z0_2 = w2 + half * k0_2;
                const double z0_3 = w3 + half * k0_3;
                const double z0_4 = w4 + half * k0_4;
                const double z0_5 = w5 + half * k0_5;
                const double z0_6 = w6 + half * k0_6;
                const double z0_7 = w7 + half * k0_7;
                const double z0_8 = w8 + half * k0_8;
                const double z0_9 = w9 + half * k0_9;
                const double a1 = al - be * z0_1;
                const double b1 = de * z0_0 - ga;
                const double c1 = be * z0_0;
                const double d1 = de * z0_1;
                const double e1 = z0_0 * z0_1;
                const double k1_0 = z0_0 * a1;
                const double k1_1 = z0_1 * b1;
                const double k1_2 = a1 * z0_2 - c1 * z0_6 + z0_0;
                const double k1_6 = d1 * z0_2 + b1 * z0_6;
                const double k1_3 = a1 * z0_3 - c1 * z0_7 - e1;
                const double k1_7 = d1 * z0_3 + b1 * z0_7;
                const double k1_4 = a1 * z0_4 - c1 * z0_8;
                const double k1_8 = d1 * z0_4 + b1 * z0_8 - z0_1;
                const double k1_5 = a1 * z0_5 - c1 * z0_9;
                const double k1_9 = d1 * z0_5 + b1 * z0_9 + e1;
                const double z1_0 = w0 + half * k1_0;
                const double z1_1 = w1 + half * k1_1;
                const double z1_2 = w2 + half * k1_2;
                const double z1_3 = w3 + half * k1_3;
                const double z1_4 = w4 + half * k1_4;
                const double z1_5 = w5 + half * k1_5;
                const double z1_6 = w6 + half * k1_6;
                const double z1_7 = w7 + half * k1_7;
                const double z1_8 = w8 + half * k1_8;
                const double z1_9 = w9 + half * k1_9;
                const double a2 = al - be * z1_1;
                const double b2 = de * z1_0 - ga;
                const double c2 = be * z1_0;
                const double d2 = de * z1_1;
                const double e2 = z1_0 * z1_1;
                const double k2_0 = z1_0 * a2;
                const double k2_1 = z1_1 * b2;
                const double k2_2 = a2 * z1_2 - c2 * z1_6 + z1_0;
                const double k2_6 = d2 * z1_2 + b2 * z1_6;
                const double k2_3 = a2 * z1_3 - c2 * z1_7 - e2;
                const double k2_7 = d2 * z1_3 + b2 * z1_7;
                const double k2_4 = a2 * z1_4 - c2 * z1_8;
                const double k2_8 = d2 * z1_4 + b2 * z1_8 - z1_1;
                const double k2_5 = a2 * z1_5 - c2 * z1_9;
                const double k2_9 = d2 * z1_5 + b2 * z1_9 + e2;
                const double z2_0 = w0 + dt * k2_0;
                const double z2_1 = w1 + dt * k2_1;
                const double z2_2 = w2 + dt * k2_2;
                const double z2_3 = w3 + dt * k2_3;
                const double z2_4 = w4 + dt * k2_4;
                const double z2_5 = w5 + dt * k2_5;
                const double z2_6 = w6 + dt * k2_6;
                const double z2_7 = w7 + dt * k2_7;
                const double z2_8 = w8 + dt * k2_8;
                const double z2_9 = w9 + dt * k2_9;
                const double a3 = al - be * z2_1;
                const double b3 = de * z2_0 - ga;
                const double c3 = be * z2_0;
                const double d3 = de * z2_1;
                const double e3 = z2_0 * z2_1;
                const double k3_0 = z2_0 * a3;
                const double k3_1 = z2_1 * b3;
                const double k3_2 = a3 * z2_2 - c3 * z2_6 + z2_0;
                const double k3_6 = d3 * z2_2 + b3 * z2_6;
                const double k3_3 = a3 * z2_3 - c3 * z2_7 - e3;
                const double k3_7 = d3 * z2_3 + b3 * z2_7;
                const double k3_4 = a3 * z2_4 - c3 * z2_8;
                const double k3_8 = d3 * z2_4 + b3 * z2_8 - z2_1;
                const double k3_5 = a3 * z2_5 - c3 * z2_9;
                const double k3_9 = d3 * z2_5 + b3 * z2_9 + e3;
                w[0][i] = w0 + sixth * (k0_0 + 2 * k1_0 + 2 * k2_0 + k3_0);
                w[1][i] = w1 + sixth * (k0_1 + 2 * k1_1 + 2 * k2_1 + k3_1);
                w[2][i] = w2 + sixth * (k0_2 + 2 * k1_2 + 2 * k2_2 + k3_2);
                w[3][i] = w3 + sixth * (k0_3 + 2 * k1_3 + 2 * k2_3 + k3_3);
                w[4][i] = w4 + sixth * (k0_4 + 2 * k1_4 + 2 * k2_4 + k3_4);
                w[5][i] = w5 + sixth * (k0_5 + 2 * k1_5 + 2 * k2_5 + k3_5);
                w[6][i] = w6 + sixth * (k0_6 + 2 * k1_6 + 2 * k2_6 + k3_6);
                w[7][i] = w7 + sixth * (k0_7 + 2 * k1_7 + 2 * k2_7 + k3_7);
                w[8][i] = w8 + sixth * (k0_8 + 2 * k1_8 + 2 * k2_8 + k3_8);
                w[9][i] = w9 + sixth * (k0_9 + 2 * k1_9 + 2 * k2_9 + k3_9);
            }
            if (every)
                for (int q = 0; q < 10; q++) out[10 * step + q] = w[q][0];
        }
        if (!every)
            for (int i = 0; i < N && first + i < m; i++)
                for (int q = 0; q < 10; q++) out[10 * (first + i) + q] = w[q][i];
    }
}
""")
FLAGS = ["-O3", "-march=native", "-mprefer-vector-width=512", "-ffp-contract=fast", "-shared", "-fPIC"]
subprocess.run(["gcc", *FLAGS, "march.c", "-o", "march.so"], check=True)
ffi = cffi.FFI()
ffi.cdef("void march(const double *P, double x0, double y0, double dt, long m, long n, long every, double *out);")
library = ffi.dlopen("./march.so")


def march(P, u0, dt, n, rows, every):
    P, out = np.ascontiguousarray(P, dtype=float), np.empty((rows, 10))
    library.march(ffi.cast("double *", P.ctypes.data), u0[0], u0[1], dt, len(P), n, every, ffi.cast("double *", out.ctypes.data))
    return out


def ensemble(P, u0, dt, n):
    out = march(P, u0, dt, n, len(P), 0)
    return out[:, :2].copy(), out[:, 2:].reshape(-1, 2, 4).copy()


def sens(p, u0, dt, n):
    out = np.zeros((n + 1, 10))
    out[0, :2] = u0
    out[1:] = march(p[None], u0, dt, n, n, 1)
    return out[:, :2].copy(), out[:, 2:].reshape(-1, 2, 4).copy()


ONE = {
    6: lambda u: (math.sin(u), math.cos(u)), 7: lambda u: (math.exp(u), math.exp(u)),
    8: lambda u: (math.log(u), 1 / u), 9: lambda u: (math.sqrt(u), 0.5 / math.sqrt(u)),
}


def gradient(op, a, b, c, x):
    rows = np.zeros((len(op), 1 + len(x)))  # a value, and its derivatives
    for k, (what, i, j) in enumerate(zip(op.tolist(), a.tolist(), b.tolist(), strict=True)):
        row = rows[k]
        if what == 0:
            row[0], row[1 + i] = x[i], 1.0
            continue
        if what == 1:
            row[0] = c[k]
            continue
        u, v = rows[i], rows[j] if what < 6 else None  # b may hold any number where it is not used
        if what == 2:
            row[:] = u + v
        elif what == 3:
            row[:] = u - v
        elif what == 4:
            row[:] = u * v[0] + u[0] * v
            row[0] = u[0] * v[0]
        elif what == 5:
            row[:] = (u - u[0] / v[0] * v) / v[0]
            row[0] = u[0] / v[0]
        else:
            value, slope = ONE[what](u[0])
            row[:] = slope * u
            row[0] = value
    return float(rows[-1, 0]), rows[-1, 1:].copy()


def fit(data, u0, dt, p0):
    p, damping, n = p0.copy(), 1e-3, len(data) - 1
    u, D = sens(p, u0, dt, n)
    for _ in range(200):
        r, J = (u - data).ravel(), D.reshape(-1, 4)
        A = J.T @ J
        step = np.linalg.solve(A + damping * np.diag(np.diag(A)), -J.T @ r)
        with np.errstate(all="ignore"):  # a step may be far too long, and is not taken then
            there = sens(p + step, u0, dt, n)
            better = np.sum((there[0] - data) ** 2) <= r @ r
        if better:
            p, (u, D), damping = p + step, there, damping / 10
        else:
            damping *= 10
        if np.abs(step).max() < 1e-13 * np.abs(p).max():
            break
    return p
