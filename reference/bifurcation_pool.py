"""Baseline of the parallel assignment: NumPy columns, dealt to a pool of threads or of processes.

Formula, shapes and units as in `bifurcation`; each of p workers gets every p-th part of the columns. The threads
gain little: for vectors of this length NumPy spends most of each call holding the interpreter's lock.

Source: the formula is May's (1976).
"""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np


def diagram(r: np.ndarray, warmup: int = 400) -> np.ndarray:
    """Return the (m, 150) samples of the attractor at each of the m growth rates `r`, every orbit from x0 = 0.25."""
    x = np.full(len(r), 0.25)
    out = np.empty((len(r), 150))
    for _ in range(warmup):
        x = r * x * (1 - x)
    for j in range(150):
        out[:, j] = x
        x = r * x * (1 - x)
    return out


def diagram_threads(r: np.ndarray, p: int, warmup: int = 400) -> np.ndarray:
    """Return the diagram, computed by `p` threads."""
    with ThreadPoolExecutor(p) as pool:
        return np.concatenate(list(pool.map(partial(diagram, warmup=warmup), np.array_split(r, p))))


def diagram_procs(r: np.ndarray, p: int, warmup: int = 400) -> np.ndarray:
    """Return the diagram, computed by `p` processes."""
    with multiprocessing.get_context("fork").Pool(p) as pool:
        parts = pool.map(partial(diagram, warmup=warmup), np.array_split(r, p))
        pool.close()
        pool.join()
    return np.concatenate(parts)
