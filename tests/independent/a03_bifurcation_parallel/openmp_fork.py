"""Threads by OpenMP in C; processes by fork, each writing its rows into one anonymous mapping."""

import mmap
import os
import subprocess
from pathlib import Path

import numpy as np
from cffi import FFI

Path("columns.c").write_text("""
#include <stddef.h>
#include <pthread.h>
#define W 128
static void block(const double *r, double *out, ptrdiff_t width, ptrdiff_t warmup) {
    double x[W], c[W];
    for (int j = 0; j < W; j++) { c[j] = j < width ? r[j] : 0.0; x[j] = 0.25; }
    for (ptrdiff_t n = 0; n < warmup; n++)
        for (int j = 0; j < W; j++) x[j] = c[j] * x[j] * (1.0 - x[j]);
    for (ptrdiff_t i = 0; i < 150; i++)
        for (int j = 0; j < W; j++) {
            if (j < width) out[j * 150 + i] = x[j];
            x[j] = c[j] * x[j] * (1.0 - x[j]);
        }
}
void columns(const double *r, double *out, ptrdiff_t m, ptrdiff_t warmup) {
    for (ptrdiff_t first = 0; first < m; first += W)
        block(r + first, out + 150 * first, m - first < W ? m - first : W, warmup);
}
typedef struct { const double *r; double *out; ptrdiff_t m, warmup; } share;
static void *run(void *s) { share *t = s; columns(t->r, t->out, t->m, t->warmup); return 0; }
void threads(const double *r, double *out, ptrdiff_t m, ptrdiff_t warmup, ptrdiff_t p) {
    pthread_t id[p];
    share s[p];
    for (ptrdiff_t k = 0; k < p; k++) {
        ptrdiff_t a = m * k / p, b = m * (k + 1) / p;
        s[k] = (share){r + a, out + 150 * a, b - a, warmup};
        if (k) pthread_create(id + k, 0, run, s + k);
    }
    run(s);
    for (ptrdiff_t k = 1; k < p; k++) pthread_join(id[k], 0);
}
""")
flags = ["-O3", "-march=native", "-ffast-math", "-mprefer-vector-width=512", "-shared", "-fPIC", "-pthread"]
subprocess.run(["gcc", *flags, "-o", "columns.so", "columns.c"], check=True)
ffi = FFI()
ffi.cdef("""
void columns(const double *r, double *out, ptrdiff_t m, ptrdiff_t warmup);
void threads(const double *r, double *out, ptrdiff_t m, ptrdiff_t warmup, ptrdiff_t p);
""")
library = ffi.dlopen("./columns.so")


def at(array):
    return ffi.cast("double *", array.ctypes.data)


def diagram_threads(r, p, warmup=400):
    r, out = np.ascontiguousarray(r), np.empty((len(r), 150))
    library.threads(at(r), at(out), len(r), warmup, p)
    return out


def diagram_procs(r, p, warmup=400):
    r = np.ascontiguousarray(r)
    if len(r) == 0:
        return np.empty((0, 150))
    shared = np.frombuffer(mmap.mmap(-1, 1200 * len(r))).reshape(-1, 150)
    ends = [len(r) * k // p for k in range(p + 1)]
    children = []
    for k in range(1, p):
        child = os.fork()
        if child == 0:
            try:
                library.columns(at(r[ends[k] :]), at(shared[ends[k] :]), ends[k + 1] - ends[k], warmup)
            finally:
                os._exit(0)
        children.append(child)
    library.columns(at(r), at(shared), ends[1], warmup)
    for child in children:
        os.waitpid(child, 0)
    return shared.copy()
