"""The GPU image holds every toolkit, in builds for one CUDA, and nothing that it must not.

Without a GPU each toolkit compiles a kernel for one, down to machine code, which shows that compilers, headers and
libraries are there and fit each other; with a GPU they run, too.
"""

import importlib.util
import os
import shutil

import numba
import numba.cuda
import torch
import triton
import triton.language as tl
from cuda.bindings import nvrtc
from triton.backends.compiler import GPUTarget

CAPABILITY = (9, 0)  # of an H100
SOURCE = b'extern "C" __global__ void twice(float *x) { x[blockIdx.x] *= 2; }'


def twice_in_numba(x):
    """For Numba-CUDA."""
    x[numba.cuda.grid(1)] *= 2


@triton.jit
def twice_in_triton(x):
    """For Triton."""
    at = x + tl.program_id(0)
    tl.store(at, 2 * tl.load(at))


def machine_code_by_nvrtc() -> bytes:
    """What CuPy's kernels and Numba's linker are compiled with."""

    def good(answer):
        assert answer[0] == nvrtc.nvrtcResult.NVRTC_SUCCESS, answer
        return answer[1] if len(answer) > 1 else None

    program = good(nvrtc.nvrtcCreateProgram(SOURCE, b"twice.cu", 0, [], []))
    options = [b"--gpu-architecture=sm_%d%d" % CAPABILITY]
    good(nvrtc.nvrtcCompileProgram(program, len(options), options))
    code = b" " * good(nvrtc.nvrtcGetCUBINSize(program))
    good(nvrtc.nvrtcGetCUBIN(program, code))
    return code


assert torch.version.cuda, "torch is a CPU build"
assert importlib.util.find_spec("cupy") is not None
assert shutil.which("gcc"), "Triton compiles its launchers"
assert machine_code_by_nvrtc()[1:4] == b"ELF"
ptx, _ = numba.cuda.compile_ptx(twice_in_numba, numba.void(numba.float32[:]), cc=CAPABILITY)
assert ".target sm_90" in ptx
source = triton.compiler.ASTSource(twice_in_triton, {"x": "*fp32"}, {})
compiled = triton.compile(source, target=GPUTarget("cuda", 10 * CAPABILITY[0] + CAPABILITY[1], 32))
assert compiled.asm["cubin"][1:4] == b"ELF"

if torch.cuda.is_available():
    import cupy

    assert int(cupy.arange(10).sum()) == 45
    assert torch.ones(3, device="cuda").sum().item() == 3.0

assert importlib.util.find_spec("autograder") is None and importlib.util.find_spec("reference") is None
assert shutil.which("pip") is None and os.getuid() != 0
print("ok")
