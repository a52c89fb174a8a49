"""Kernels of any length, for traces whose true ratio is known: `work(x, steps)`, and `timed`, which returns its seconds, too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autograder.domain.assignment import Argument, Assignment, Dim, Function, Kind, Limits, Resources, ValueType
from autograder.judge.buffers import Array

_CPU = """
import time
import numba
import numpy as np

@numba.njit(cache=False, fastmath=False)
def steps_of(x, y, steps):
    n = x.shape[0]
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                y[i, j] = x[i, j] + 0.1 * (x[i - 1, j] + x[i + 1, j] + x[i, j - 1] + x[i, j + 1] - 4.0 * x[i, j])
        x, y = y, x
    return x

def work(x, steps):
    return steps_of(x.copy(), x.copy(), steps)

def timed(x, steps):
    begun = time.perf_counter()
    y = work(x, steps)
    return y, time.perf_counter() - begun
"""
_GPU = """
import cupy

steps_of = cupy.RawKernel('''
extern "C" __global__ void steps_of(const float *x, float *y, long long n, long long steps) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= n) return;
    float a = x[i];
    for (long long k = 0; k < steps; ++k) a = fmaf(a, 0.999f, 0.5f);
    y[i] = a;
}
''', "steps_of")
begun, ended = cupy.cuda.Event(), cupy.cuda.Event()

def work(x, steps):
    y = cupy.empty(x.shape, cupy.float32)
    steps_of(((x.size + 255) // 256,), (256,), (x.__cuda_array_interface__["data"][0], y, x.size, steps))
    return y

def timed(x, steps):
    begun.record()
    y = work(x, steps)
    ended.record()
    ended.synchronize()
    return y, cupy.cuda.get_elapsed_time(begun, ended) / 1e3
"""


@dataclass(frozen=True, slots=True)
class Kernel:
    """One of them.

    Attributes:
        shape: of x.
        clock: by which `timed` goes.
        few, many: steps of the calls by whose difference a step is timed.
    """

    program: str
    kind: Kind
    preload: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    clock: str
    few: int
    many: int

    @property
    def functions(self) -> tuple[Function, Function]:
        """`work` and `timed`."""
        array = ValueType("", self.dtype, tuple(Dim(f"n{i}", 0) for i in range(len(self.shape))))
        arguments = (Argument("x", array), Argument("steps", ValueType("int")))
        return Function("work", arguments, (array,)), Function("timed", arguments, (array, ValueType("float")))

    def assignment(self, cores: int) -> Assignment:
        """What its guests are told."""
        resources = Resources(cores, preload=self.preload)
        return Assignment(
            "planted", Path(), "planted", "", "", self.kind, "", "", "", "", resources, Limits(), self.functions, (), ()
        )  # fmt: skip

    def draw(self) -> Array:
        """A fresh x."""
        return np.random.default_rng().random(self.shape).astype(self.dtype)


CPU = Kernel(_CPU, Kind.SERIAL, ("numpy", "numba"), (160, 160), "f8", "its own process's clock", 100, 600)
GPU = Kernel(_GPU, Kind.GPU, ("numpy",), (1 << 20,), "f4", "the device's events", 2000, 42000)
