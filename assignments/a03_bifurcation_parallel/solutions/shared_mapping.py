"""One thread per part; the processes, the caller among them, write into a mapping that all of them share."""

import mmap
import multiprocessing
import threading
from itertools import pairwise

import numpy as np
from numba import njit


@njit(nogil=True)
def columns(r, warmup, out):
    """Fill `out` (m, 150) with the attractors at the rates `r` (m,); z = r x, 128 orbits side by side."""
    z = np.empty(128)
    rate = np.empty(128)
    m = r.shape[0]
    for first in range(0, m, 128):
        width = min(128, m - first)
        rate[:] = 1.0
        rate[:width] = r[first : first + width]
        z[:] = 0.25 * rate
        for _ in range(warmup // 6):
            for j in range(128):
                c = rate[j]
                t = z[j]
                t = t * (c - t)
                t = t * (c - t)
                t = t * (c - t)
                t = t * (c - t)
                t = t * (c - t)
                t = t * (c - t)
                z[j] = t
        for _ in range(warmup % 6):
            for j in range(128):
                z[j] = z[j] * (rate[j] - z[j])
        for i in range(150):
            for j in range(width):
                if rate[j] != 0.0:
                    out[first + j, i] = z[j] / rate[j]
                else:
                    out[first + j, i] = 0.25 if warmup + i == 0 else 0.0
            for j in range(128):
                z[j] = z[j] * (rate[j] - z[j])


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


def diagram_procs(r, p, warmup=400):
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
