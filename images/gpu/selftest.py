"""The GPU image holds every toolkit, in CUDA builds, and nothing that it must not; without a GPU it can show no more."""

import importlib.util
import os
import shutil

import numba.cuda
import torch
import triton

assert torch.version.cuda, "torch is a CPU build"
assert importlib.util.find_spec("cupy") is not None
assert hasattr(numba.cuda, "as_cuda_array") and triton.__version__
assert shutil.which("gcc"), "Triton compiles its launchers"

if torch.cuda.is_available():
    import cupy

    assert int(cupy.arange(10).sum()) == 45
    assert torch.ones(3, device="cuda").sum().item() == 3.0

assert importlib.util.find_spec("autograder") is None and importlib.util.find_spec("reference") is None
assert shutil.which("pip") is None and os.getuid() != 0
print("ok")
