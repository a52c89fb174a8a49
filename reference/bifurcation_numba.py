"""Reference: the bifurcation diagram near the floating-point limit of a core, serial and parallel, in Numba.

Formula, shapes and units as in `bifurcation`. Four ideas, each worth a factor:

1. Units. With w = r (1/2 - x) the map is w' = w w + c, c = r (2 - r) / 4: one fused operation instead of three. A small
   x = 1/2 - w / r keeps its absolute accuracy, half an ulp of 1/2, and loses digits of its own.
2. Lanes. One orbit is a chain of dependent operations, some 4 cycles a step however wide the core. LANES orbits
   side by side are independent, and the inner loop over lanes becomes vector instructions.
3. Tiles in time. TILE steps between loading w and storing it keep the lanes in registers.
4. Whole registers. Where a processor has AVX-512, LLVM makes vectors of half a register unless it is asked.

Counts: 2 flops a step, m (warmup + 150) steps; bytes as in the oracle, negligible. Two 8-wide pipes that each start a
fused multiply-add a cycle limit it to 16 steps a cycle, two 4-wide ones to 8.
Parallel: columns are independent, so p workers get contiguous parts that are equal within one column.

Source: blocking for registers and for dependent chains after S. Williams et al., "Roofline" (CACM 2009); the
substitution is the textbook one between the logistic map and z' = z z + c.
"""

import mmap
import os
import threading
from itertools import pairwise

import llvmlite.binding as llvm
import numba
import numpy as np
from numba import njit

K = 150
LANES = 128
TILE = 12

FEATURES = llvm.get_host_cpu_features()
if FEATURES.get("avx512f"):  # before anything is compiled; Numba wants both or neither
    numba.config.CPU_NAME = llvm.get_host_cpu_name()
    numba.config.CPU_FEATURES = FEATURES.flatten() + ",-prefer-256-bit"


@njit(nogil=True)
def _orbit(out, r, x0, warmup):
    """Fill `out` with one orbit; a single chain, bound by the latency of its operations."""
    x = x0
    for _ in range(warmup):
        x = r * x * (1.0 - x)
    for j in range(out.shape[0]):
        out[j] = x
        x = r * x * (1.0 - x)


@njit(nogil=True, fastmath={"contract"})
def _columns(r, warmup, out):
    """Fill `out` (m, 150); a short last block repeats the last rate in its spare lanes."""
    w = np.empty(LANES)
    c = np.empty(LANES)
    m = r.shape[0]
    for first in range(0, m, LANES):
        width = min(LANES, m - first)
        for j in range(LANES):
            rate = r[min(first + j, m - 1)]
            w[j] = 0.25 * rate
            c[j] = 0.25 * rate * (2.0 - rate)
        for _ in range(warmup // TILE):
            for j in range(LANES):
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
        for _ in range(warmup % TILE):
            for j in range(LANES):
                w[j] = w[j] * w[j] + c[j]
        for i in range(K):
            for j in range(width):
                rate = r[first + j]
                if rate != 0.0:
                    out[first + j, i] = 0.5 - w[j] / rate
                else:  # w knows nothing of x there: 0.25 at once, 0 ever after
                    out[first + j, i] = 0.25 if warmup + i == 0 else 0.0
            for j in range(LANES):
                w[j] = w[j] * w[j] + c[j]


def calc_attractor(out: np.ndarray, r: float, x0: float = 0.25, warmup: int = 400) -> None:
    """Fill `out` (k,) with x_warmup, x_{warmup+1}, ... of the orbit that starts at `x0`."""
    _orbit(out, float(r), float(x0), int(warmup))


def diagram(r: np.ndarray, warmup: int = 400) -> np.ndarray:
    """Return the (m, 150) samples of the attractor at each of the m growth rates `r`, every orbit from x0 = 0.25."""
    out = np.empty((len(r), K))
    _columns(np.ascontiguousarray(r), int(warmup), out)
    return out


def diagram_threads(r: np.ndarray, p: int, warmup: int = 400) -> np.ndarray:
    """Return the diagram, computed by `p` threads, of which the caller is one."""
    r = np.ascontiguousarray(r)
    out = np.empty((len(r), K))
    cuts = [len(r) * k // p for k in range(p + 1)]
    parts = [(r[a:b], int(warmup), out[a:b]) for a, b in pairwise(cuts)]
    others = [threading.Thread(target=_columns, args=part) for part in parts[1:] if len(part[0])]
    for thread in others:
        thread.start()
    _columns(*parts[0])
    for thread in others:
        thread.join()
    return out


def diagram_procs(r: np.ndarray, p: int, warmup: int = 400) -> np.ndarray:
    """Return the diagram, computed by `p` processes, of which the caller is one; they share the result's memory."""
    r = np.ascontiguousarray(r)
    m = len(r)
    out = np.frombuffer(mmap.mmap(-1, max(1, 8 * m * K)), count=m * K).reshape(m, K)
    cuts = [m * k // p for k in range(p + 1)]
    children = []
    for a, b in pairwise(cuts[1:]):
        if a == b:
            continue
        child = os.fork()
        if child == 0:  # whatever happens, the child must not return into the caller's program
            try:
                _columns(r[a:b], int(warmup), out[a:b])
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    _columns(r[: cuts[1]], int(warmup), out[: cuts[1]])
    if any([os.waitpid(child, 0)[1] for child in children]):
        raise RuntimeError("a worker process failed")
    return out


diagram(np.array([1.0]))  # compile at import, where it is not timed
calc_attractor(np.empty(1), 1.0)
calc_attractor(np.empty(2)[::2], 1.0)
