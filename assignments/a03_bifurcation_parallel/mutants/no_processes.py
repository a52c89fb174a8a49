# dies by: missing-function
# Threads only.
import mmap
import multiprocessing
import threading
from itertools import pairwise

import llvmlite.binding as llvm
import numba
import numpy as np
from numba import njit

features = llvm.get_host_cpu_features()
if features.get("avx512f"):  # whole registers; LLVM takes half of them unless it is asked
    numba.config.CPU_NAME = llvm.get_host_cpu_name()
    numba.config.CPU_FEATURES = features.flatten() + ",-prefer-256-bit"


@njit(nogil=True, fastmath={"contract"})
def columns(r, warmup, out):
    """Fill `out` (m, 150) with the attractors at the rates `r` (m,); w = r (1/2 - x), 128 orbits side by side."""
    w = np.empty(128)
    c = np.empty(128)
    rate = np.empty(128)
    m = r.shape[0]
    for first in range(0, m, 128):
        width = min(128, m - first)
        rate[:] = 1.0
        rate[:width] = r[first : first + width]
        w[:] = 0.25 * rate
        c[:] = 0.25 * rate * (2.0 - rate)
        for _ in range(warmup // 12):
            for j in range(128):
                d = c[j]
                t = w[j]
                t = t * t + d
                t = t * t + d
                t = t * t + d
                t = t * t + d
                t = t * t + d
                t = t * t + d
                t = t * t + d
                t = t * t + d
                t = t * t + d
                t = t * t + d
                t = t * t + d
                t = t * t + d
                w[j] = t
        for _ in range(warmup % 12):
            for j in range(128):
                w[j] = w[j] * w[j] + c[j]
        for i in range(150):
            for j in range(width):
                if rate[j] != 0.0:
                    out[first + j, i] = 0.5 - w[j] / rate[j]
                else:
                    out[first + j, i] = 0.25 if warmup + i == 0 else 0.0
            for j in range(128):
                w[j] = w[j] * w[j] + c[j]


def parts(r, p, warmup, out):
    """The arguments of `columns` for each of at most p workers; sizes differ by one at most."""
    cuts = [len(r) * k // p for k in range(p + 1)]
    return [(r[a:b], warmup, out[a:b]) for a, b in pairwise(cuts) if b > a]


def diagram_threads(r, p, warmup=400):
    r = np.ascontiguousarray(r)
    out = np.empty((len(r), 150))
    workers = [threading.Thread(target=columns, args=part) for part in parts(r, p, warmup, out)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return out


def _diagram_procs(r, p, warmup=400):
    r = np.ascontiguousarray(r)
    shared = mmap.mmap(-1, max(1, 1200 * len(r)))
    out = np.frombuffer(shared, count=150 * len(r)).reshape(-1, 150)
    fork = multiprocessing.get_context("fork")
    mine, *others = parts(r, p, warmup, out) or [(r, warmup, out)]
    workers = [fork.Process(target=columns, args=part) for part in others]
    for worker in workers:
        worker.start()
    columns(*mine)
    for worker in workers:
        worker.join()
    return out


columns(np.ones(1), 1, np.empty((1, 150)))
