"""An executor with every p-th column for each thread; one process a share, which sends its rows through a pipe."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

context = multiprocessing.get_context("fork")


@njit("void(f8[::1], i8, f8[:, ::1])", nogil=True)
def columns(r, warmup, out):
    x = np.empty(128)
    c = np.empty(128)
    m = r.shape[0]
    for first in range(0, m, 128):
        width = min(128, m - first)
        c[:] = 0.0
        c[:width] = r[first : first + width]
        x[:] = 0.25 * c
        for _ in range(warmup // 4):
            for j in range(128):
                t = x[j]
                t = t * (c[j] - t)
                t = t * (c[j] - t)
                t = t * (c[j] - t)
                t = t * (c[j] - t)
                x[j] = t
        for _ in range(warmup % 4):
            for j in range(128):
                x[j] = x[j] * (c[j] - x[j])
        for i in range(150):
            for j in range(width):
                if c[j] == 0.0:
                    out[first + j, i] = 0.25 if warmup + i == 0 else 0.0
                else:
                    out[first + j, i] = x[j] / c[j]
            for j in range(128):
                x[j] = x[j] * (c[j] - x[j])


def rows(r, warmup):
    out = np.empty((len(r), 150))
    columns(np.ascontiguousarray(r), warmup, out)
    return out


def diagram_threads(r, p, warmup=400):
    out = np.empty((len(r), 150))
    with ThreadPoolExecutor(p) as pool:
        for k, part in enumerate(pool.map(lambda k: rows(r[k::p], warmup), range(p))):
            out[k::p] = part
    return out


def send(end, r, warmup):
    end.send_bytes(rows(r, warmup).tobytes())
    end.close()


def diagram_procs(r, p, warmup=400):
    out = np.empty((len(r), 150))
    started = []
    for k in range(1, p):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=send, args=(theirs, r[k::p], warmup))
        process.start()
        theirs.close()
        started.append((k, ours, process))
    out[0::p] = rows(r[0::p], warmup)
    for k, ours, process in started:
        out[k::p] = np.frombuffer(ours.recv_bytes()).reshape(-1, 150)
        ours.close()
        process.join()
        process.close()
    return out
