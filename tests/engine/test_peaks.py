"""The measured peak: operations are counted right whatever a register holds, and no product of matrices is faster."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys

import pytest

from autograder.engine.peaks import C_FLAGS, C_SOURCE, measure

OPERATIONS = 192 * 1000  # whole passes of 12 chains, with 8, 4 and 2 lanes
PRODUCT = """
import time
import numpy as np
a, best = np.random.default_rng(1).random((1024, 1024)), float("inf")
for _ in range(12):
    begun = time.perf_counter()
    a @ a
    best = min(best, time.perf_counter() - begun)
print(2 * 1024**3 / best)
"""
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
WIDTHS = ["-march=native", *(["-march=x86-64"] if platform.machine() == "x86_64" else [])]


@pytest.mark.parametrize("march", WIDTHS)
def test_the_program_makes_as_many_operations_as_it_is_asked_for(tmp_path, march):
    """With both factors 1 every multiply-add adds 1 to one lane, so the lanes' sum tells how many there were."""
    (tmp_path / "peaks.c").write_text(C_SOURCE)
    subprocess.run(["gcc", *C_FLAGS, march, "-o", "peaks.so", "peaks.c"], cwd=tmp_path, check=True)
    chains = ctypes.CDLL(str(tmp_path / "peaks.so")).fma_chains
    chains.restype, chains.argtypes = ctypes.c_double, [ctypes.c_ssize_t, ctypes.c_double, ctypes.c_double]
    assert chains(OPERATIONS, 1.0, 1.0) - chains(0, 1.0, 1.0) == OPERATIONS / 2


@pytest.mark.docker
@pytest.mark.slow
def test_no_product_of_matrices_is_faster_than_the_peak(node):
    """A library's best on one core is below it; a peak that waits for memory was a fifteenth of what there is."""
    core = max(os.sched_getaffinity(0))
    peaks = measure(node, (core,))
    done = subprocess.run(
        ["taskset", "-c", str(core), sys.executable, "-c", PRODUCT],
        env=os.environ | ONE_THREAD, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert peaks.flops > 0.9 * float(done.stdout), (peaks, done.stdout)
