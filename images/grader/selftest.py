"""The grader image can do what the course needs: JIT, C, MPI, torch; and cannot do what it must not."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cffi
import numba
import numpy as np
import scipy.linalg
import torch

x = np.arange(9.0).reshape(3, 3)
assert np.allclose(scipy.linalg.expm(0 * x), np.eye(3))
assert numba.njit(parallel=True)(lambda a: a.sum())(x) == 36.0
assert torch.ones(3).sum().item() == 3.0 and not torch.cuda.is_available()

Path("/work/f.c").write_text("double twice(double x) { return 2 * x; }")
subprocess.run(["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-o", "/work/f.so", "/work/f.c"], check=True)
ffi = cffi.FFI()
ffi.cdef("double twice(double);")
assert ffi.dlopen("/work/f.so").twice(21.0) == 42.0

program = "from mpi4py import MPI; c = MPI.COMM_WORLD; print(c.allreduce(c.rank + 1))"
ranks = subprocess.run(
    ["mpiexec", "-n", "2", sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
)
assert ranks.stdout.split() == ["3", "3"], ranks

assert importlib.util.find_spec("autograder") is None and importlib.util.find_spec("reference") is None
assert shutil.which("pip") is None and os.getuid() != 0
print("ok")
