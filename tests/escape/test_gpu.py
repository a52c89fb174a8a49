"""Attacks on the timing and the memory of a GPU; in CuPy, on a GPU alone (so far an H200).

Whoever gains nothing is as slow as the plain kernel, whatever was done to clocks, events, streams and caches: the clock is
the judge's, and the shim waits for every stream of the context before it says done. Whoever goes round that dies.
"""

import warnings

import pytest

from autograder.api import Node, Options, Submission
from autograder.course.load import load
from autograder.domain.submission import digest
from autograder.domain.verdict import Verdict
from autograder.measure.gpu import present
from autograder.sandbox.process import NotIsolated

from .. import conftest

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not present(), reason="needs a GPU")]
COURSE = conftest.FIXTURES / "assignments" / "t_cuda"
PLAIN = (COURSE / "solutions/elementwise.py").read_text() if COURSE.exists() else ""

SPINS = """
import cupy
kernel = 'extern "C" __global__ void spin() { long long t = clock64(); while (clock64() - t < 4000000000LL); }'
while True:
    cupy.RawKernel(kernel, "spin")((1024,), (256,), ())
    cupy.cuda.Device().synchronize()
"""

GAINS_NOTHING = {
    "unsynchronised": "",  # CuPy launches and returns; nobody waits but the shim
    "on a side stream": """
_work = work
_stream = cupy.cuda.Stream(non_blocking=True)
def work(x, steps):
    with _stream:
        return _work(x, steps)
""",
    "events and clocks patched": """
import time
class Event:
    def __init__(self, *a, **k): pass
    def record(self, *a): pass
    def synchronize(self): pass
cupy.cuda.Event = cupy.cuda.stream.Event = Event
cupy.cuda.get_elapsed_time = lambda a, b: 1e-3
cupy.cuda.runtime.deviceSynchronize = cupy.cuda.runtime.streamSynchronize = lambda *a: None
time.perf_counter = time.monotonic = time.time = lambda: 0.0
""",
    "a carve-out of L2": """
import ctypes
_cuda, _most, _got = ctypes.CDLL("libcuda.so.1"), ctypes.c_int(), ctypes.c_size_t()
cupy.zeros(1)
assert _cuda.cuDeviceGetAttribute(ctypes.byref(_most), 108, 0) == 0  # CU_DEVICE_ATTRIBUTE_MAX_PERSISTING_L2_CACHE_SIZE
_said = _cuda.cuCtxSetLimit(6, ctypes.c_size_t(_most.value))  # CU_LIMIT_PERSISTING_L2_CACHE_SIZE
_cuda.cuCtxGetLimit(ctypes.byref(_got), 6)
assert _most.value == 0 or _got.value > 0, f"of {_most.value} bytes the driver set {_got.value} aside: {_said}"
""",
}

DIES = {
    "replay by pointer": (
        Verdict.WRONG_ANSWER,
        """
_known, _work = {}, work
def work(x, steps):
    key = (x.__cuda_array_interface__["data"][0], x.shape, steps)
    if key not in _known:
        _known[key] = _work(x, steps).copy()
    return _known[key]
""",
    ),
    "half precision": (
        Verdict.WRONG_ANSWER,
        """
_work = work
def work(x, steps):
    return _work(cupy.asarray(x).astype(cupy.float16).astype(cupy.float32), steps)
""",
    ),
    "work queued past the freeze, in a context that nobody waits for": (
        Verdict.WRONG_ANSWER,
        """
import ctypes
_cuda = ctypes.CDLL("libcuda.so.1")
_primary, _other = ctypes.c_void_p(), ctypes.c_void_p()
cupy.zeros(1)
_cuda.cuCtxGetCurrent(ctypes.byref(_primary))
_cuda.cuCtxCreate_v2(ctypes.byref(_other), 0, 0)
_cuda.cuCtxSetCurrent(_primary)
_work = work
def work(x, steps):
    out = cupy.zeros(x.shape, cupy.float32)
    _cuda.cuCtxSetCurrent(_other)
    import threading
    def later():
        _cuda.cuCtxSetCurrent(_primary)
        out[...] = _work(x, steps)
    threading.Timer(0.05, later).start()
    _cuda.cuCtxSetCurrent(_primary)
    return out
""",
    ),
    "a persistent kernel in a child": (
        Verdict.WORK_LEFT_RUNNING,
        f"CHILD = {SPINS!r}"
        """
import subprocess, sys, time
_child = subprocess.Popen([sys.executable, "-c", CHILD])
time.sleep(3)
""",
    ),
}


# Done is said while kernels run, and no freezer stops a GPU.
LATE = {
    "all of it": """
import sys
sys.modules["driver"].Driver.synchronize = lambda self: None
""",
    "a tenth": """
import sys
_work = work
def work(x, steps):
    most = steps * 9 // 10
    y = _work(x, most)
    cupy.cuda.Device().synchronize()
    return _work(y, steps - most)  # a few milliseconds, too short for the probe
sys.modules["driver"].Driver.synchronize = lambda self: None
""",
}


@pytest.fixture(scope="module")
def course():
    """The test assignment in CuPy."""
    return load(COURSE)


@pytest.fixture(scope="module")
def gpu_node():
    """This machine, by containers where there is an engine, else by plain processes."""
    from autograder.errors import AutograderError

    references = conftest.FIXTURES / "reference"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotIsolated)
        try:
            node = Node(Options(references=references))
        except AutograderError:
            node = Node(Options(references=references, kind="subprocess"))
        with node:
            yield node


def graded(node, course, source):
    """Asked again while the machine is noisy."""
    files = {"solution.py": source.encode()}
    for _ in range(3):
        grade = node.grade(course, Submission("x.py", files, digest(files)))
        if not grade.ours:
            break
    return grade


@pytest.mark.parametrize("name", GAINS_NOTHING)
def test_it_gains_nothing(gpu_node, course, name):
    """Full marks but for the tier that nobody reaches."""
    grade = graded(gpu_node, course, PLAIN + GAINS_NOTHING[name])
    words = [c.evidence for c in grade.criteria]
    assert [c.verdict for c in grade.criteria] == [Verdict.PASSED, Verdict.PASSED, Verdict.TOO_SLOW], words
    assert 0.9 < grade.criteria[-1].duel.speedup < 1.1


@pytest.mark.parametrize("name", DIES)
def test_it_dies(gpu_node, course, name):
    """By its verdict."""
    verdict, source = DIES[name]
    assert verdict in [c.verdict for c in graded(gpu_node, course, PLAIN + source).criteria]


@pytest.mark.parametrize("part", LATE)
def test_work_past_the_freeze_gains_nothing(gpu_node, course, part):
    """The clock stops when the judge owns the answer: what is late is missing from it, or was waited for and counts."""
    *checks, speed = graded(gpu_node, course, PLAIN + LATE[part]).criteria
    dead = {Verdict.WRONG_ANSWER, Verdict.NOT_FINITE, Verdict.WORK_LEFT_RUNNING}
    if not dead & {c.verdict for c in (*checks, speed)}:
        assert speed.verdict is Verdict.TOO_SLOW and speed.duel.speedup < 1.05, speed.evidence


def test_the_next_tenant_finds_nothing_in_the_memory(gpu_node, course):
    """One fills what it can get with a word; the next looks for it in all that it gets."""
    fills = PLAIN + "\n_kept = [cupy.full(1 << 26, 0x5EC4E7, cupy.int32) for _ in range(8)]\n"
    looks = PLAIN + (
        "\n_found = [cupy.empty(1 << 26, cupy.int32) for _ in range(8)]\n"
        "assert not any(int((f == 0x5EC4E7).sum()) for f in _found), 'somebody was here'\n"
    )
    assert graded(gpu_node, course, fills).score > 0
    assert graded(gpu_node, course, looks).score > 0
