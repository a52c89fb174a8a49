"""C through cffi: all of a block's chains in one function, loops over 32 chains that gcc vectorises, derivatives by the chain rule."""

import subprocess
from pathlib import Path

import cffi
import numpy as np

Path("chains.c").write_text(r"""
#include <math.h>
#include <string.h>
enum { N = 32 };

static void energy(double q[2][N], const double *data, long days, const double *centre, double e[3][N])
{
    double b[N], g[N], S[N], I[N], Sb[N] = {0}, Ib[N] = {0}, Sg[N] = {0}, Ig[N] = {0}, u[N] = {0}, ub[N] = {0}, ug[N] = {0};
    for (int i = 0; i < N; i++) b[i] = exp(q[0][i]) / 4, g[i] = exp(q[1][i]) / 4, S[i] = 0.99, I[i] = 0.01;
    for (long day = 0; day < days; day++) {
        for (int step = 0; step < 4; step++)
            for (int i = 0; i < N; i++) {
                const double SI = S[i] * I[i], f = b[i] * SI, r = g[i] * I[i];
                const double fb = f + b[i] * (Sb[i] * I[i] + S[i] * Ib[i]), fg = b[i] * (Sg[i] * I[i] + S[i] * Ig[i]);
                S[i] -= f, Sb[i] -= fb, Sg[i] -= fg;
                I[i] += f - r, Ib[i] += fb - g[i] * Ib[i], Ig[i] += fg - r - g[i] * Ig[i];
            }
        for (int i = 0; i < N; i++) {
            const double d = I[i] - data[day];
            u[i] += d * d, ub[i] += d * Ib[i], ug[i] += d * Ig[i];
        }
    }
    for (int i = 0; i < N; i++) {
        const double x = q[0][i] - centre[0], y = q[1][i] - centre[1];
        e[0][i] = u[i] / 0.0008 + (x * x + y * y) / 0.5, e[1][i] = ub[i] / 0.0004 + x / 0.25, e[2][i] = ug[i] / 0.0004 + y / 0.25;
    }
}

void one(const double *theta, const double *data, long days, const double *centre, double *out)
{
    double q[2][N], e[3][N];
    for (int i = 0; i < N; i++) q[0][i] = theta[0], q[1][i] = theta[1];
    energy(q, data, days, centre, e);
    for (int k = 0; k < 3; k++) out[k] = e[k][0];
}

void chains(const double *Q0, double eps, long L, const double *P, const double *w, long m, long n,
            const double *data, long days, const double *centre, double *out)
{
    for (long first = 0; first < m; first += N) {
        const long here = m - first < N ? m - first : N;
        double q[2][N], p[2][N], x[2][N], e[3][N], z[3][N], H[N];
        for (int i = 0; i < N; i++)
            for (int k = 0; k < 2; k++) q[k][i] = Q0[2 * (first + (i < here ? i : 0)) + k];
        energy(q, data, days, centre, e);
        for (long t = 0; t < n; t++) {
            for (int i = 0; i < N; i++)
                for (int k = 0; k < 2; k++) p[k][i] = P[2 * ((first + (i < here ? i : 0)) * n + t) + k];
            for (int i = 0; i < N; i++) H[i] = e[0][i] + (p[0][i] * p[0][i] + p[1][i] * p[1][i]) / 2;
            memcpy(x, q, sizeof q), memcpy(z, e, sizeof e);
            for (long s = 0; s < L; s++) {
                const double h = s ? eps : eps / 2;
                for (int k = 0; k < 2; k++)
                    for (int i = 0; i < N; i++) p[k][i] -= h * z[k + 1][i], x[k][i] += eps * p[k][i];
                energy(x, data, days, centre, z);
            }
            for (int i = 0; i < here; i++) {
                for (int k = 0; k < 2; k++) p[k][i] -= eps / 2 * z[k + 1][i];
                if (log(w[(first + i) * n + t]) < H[i] - z[0][i] - (p[0][i] * p[0][i] + p[1][i] * p[1][i]) / 2) {
                    for (int k = 0; k < 2; k++) q[k][i] = x[k][i];
                    for (int k = 0; k < 3; k++) e[k][i] = z[k][i];
                }
                for (int k = 0; k < 2; k++) out[2 * ((first + i) * n + t) + k] = q[k][i];
            }
        }
    }
}
""")
FLAGS = ["-O3", "-march=native", "-mprefer-vector-width=512", "-ffp-contract=fast", "-fno-math-errno", "-shared", "-fPIC"]
subprocess.run(["gcc", *FLAGS, "chains.c", "-o", "chains.so", "-lm"], check=True)
ffi = cffi.FFI()
ffi.cdef("""
void one(const double *theta, const double *data, long days, const double *centre, double *out);
void chains(const double *Q0, double eps, long L, const double *P, const double *w, long m, long n,
            const double *data, long days, const double *centre, double *out);
""")
library = ffi.dlopen("./chains.so")
CENTRE = np.log([0.4, 0.15])


def at(array):
    return ffi.cast("double *", array.ctypes.data)


def epidemic(theta, data):
    theta, data, out = np.ascontiguousarray(theta), np.ascontiguousarray(data), np.empty(3)
    library.one(at(theta), at(data), len(data), at(CENTRE), at(out))
    return float(out[0]), out[1:]


def leapfrog(f, q, p, eps, L):
    p = p - eps / 2 * f(q)[1]
    for step in range(L):
        q = q + eps * p
        slope = f(q)[1]
        p = p - (eps if step < L - 1 else eps / 2) * slope
    return q, p


def hmc(f, q0, eps, L, P, w):
    out = np.empty(P.shape)
    q, known = q0, None
    for i, start in enumerate(P):
        U, slope = known or f(q)
        x, p, new = q, start, (U, slope)
        for _ in range(L):
            p = p - eps / 2 * new[1]
            x = x + eps * p
            new = f(x)
            p = p - eps / 2 * new[1]
        gain = U + start @ start / 2 - new[0] - p @ p / 2
        q, known = (x, new) if np.log(w[i]) < gain else (q, (U, slope))
        out[i] = q
    return out


def chains(Q0, eps, L, P, w, data):
    Q0, P, w, data = (np.ascontiguousarray(x) for x in (Q0, P, w, data))
    out = np.empty(P.shape)
    library.chains(at(Q0), eps, L, at(P), at(w), P.shape[0], P.shape[1], at(data), len(data), at(CENTRE), at(out))
    return out
