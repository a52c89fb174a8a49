"""Numba deals blocks of columns to its own threads; processes send their parts back through pipes."""

import multiprocessing

import llvmlite.binding as llvm
import numba
import numpy as np
from numba import njit, prange

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


@njit(parallel=True)
def blocks(r, pieces, warmup, out):
    m = r.shape[0]
    for k in prange(pieces):
        a, b = m * k // pieces, m * (k + 1) // pieces
        columns(r[a:b], warmup, out[a:b])


def part(r, warmup):
    out = np.empty((len(r), 150))
    columns(np.ascontiguousarray(r), warmup, out)
    return out


def send_part(writer, r, warmup):
    writer.send(part(r, warmup))


def diagram_threads(r, p, warmup=400):
    r = np.ascontiguousarray(r)
    out = np.empty((len(r), 150))
    numba.set_num_threads(min(p, numba.config.NUMBA_NUM_THREADS))
    blocks(r, p, warmup, out)
    return out


def diagram_procs(r, p, warmup=400):
    fork = multiprocessing.get_context("fork")
    mine, *others = np.array_split(r, p)
    pipes = [fork.Pipe(duplex=False) for _ in others]
    workers = [
        fork.Process(target=send_part, args=(writer, piece, warmup))
        for (_, writer), piece in zip(pipes, others, strict=True)
    ]
    for worker in workers:
        worker.start()
    rows = [part(mine, warmup)] + [reader.recv() for reader, _ in pipes]
    for worker in workers:
        worker.join()
    for pipe in pipes:
        for end in pipe:
            end.close()
    return np.concatenate(rows)


diagram_threads(np.ones(4), 2, 1)
