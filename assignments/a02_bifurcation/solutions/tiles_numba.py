"""The map as written, 128 orbits side by side, four steps between a load and a store."""

import llvmlite.binding as llvm
import numba
import numpy as np
from numba import njit

LANES = 128

features = llvm.get_host_cpu_features()
if features.get("avx512f"):  # whole registers; LLVM takes half of them unless it is asked
    numba.config.CPU_NAME = llvm.get_host_cpu_name()
    numba.config.CPU_FEATURES = features.flatten() + ",-prefer-256-bit"


@njit
def orbit(out, r, x, warmup):
    for _ in range(warmup):
        x = r * x * (1.0 - x)
    for j in range(out.shape[0]):
        out[j] = x
        x = r * x * (1.0 - x)


@njit(fastmath={"contract", "nsz"})
def columns(r, warmup, out):
    x = np.empty(LANES)
    rate = np.empty(LANES)
    m = r.shape[0]
    for first in range(0, m, LANES):
        width = min(LANES, m - first)
        x[:] = 0.25
        rate[:] = 0.0
        rate[:width] = r[first : first + width]
        for _ in range(warmup // 4):
            for j in range(LANES):
                a = rate[j]
                y = x[j]
                y = a * y * (1.0 - y)
                y = a * y * (1.0 - y)
                y = a * y * (1.0 - y)
                y = a * y * (1.0 - y)
                x[j] = y
        for _ in range(warmup % 4):
            for j in range(LANES):
                x[j] = rate[j] * x[j] * (1.0 - x[j])
        for i in range(150):
            for j in range(width):
                out[first + j, i] = x[j]
            for j in range(LANES):
                x[j] = rate[j] * x[j] * (1.0 - x[j])


def calc_attractor(out, r, x0=0.25, warmup=400):
    orbit(out, r, x0, warmup)


def diagram(r, warmup=400):
    out = np.empty((len(r), 150))
    columns(np.ascontiguousarray(r), warmup, out)
    return out


diagram(np.array([2.0]))
calc_attractor(np.empty(2), 2.0)
