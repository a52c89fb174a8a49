"""The way through a GPU's driver, by a stand-in: descriptors between processes, the judge's copies, probes, clocks.

The stand-ins are C: the driver's is compiled against NVIDIA's own `cuda.h`, so that every name, prototype and structure is
the driver's; the management library's is spoken to by NVIDIA's own bindings. What no stand-in shows: kernels, streams,
caches, clocks, and whether descriptors of device memory pass between containers.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course.load import load
from autograder.course.mutants import mutants

from .. import conftest

HERE = conftest.FIXTURES / "cuda"
GPU = "GPU-abcd0102-0304-0506-0708-090a0b0c0d0e"
COURSE = conftest.FIXTURES / "assignments" / "t_gpu"


def header():
    """The folder of NVIDIA's cuda.h, from the wheel that holds it."""
    found = importlib.util.find_spec("nvidia")
    for folder in found.submodule_search_locations if found else ():
        if (path := Path(folder) / "cuda_runtime/include/cuda.h").is_file():
            return path.parent
    return None


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    """A folder with both stand-ins, under the names by which they are looked for, and a probe of a size for them."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or header() is None:
        pytest.skip("the stand-in for a driver needs a C compiler (apt-get install gcc) and nvidia-cuda-runtime-cu12")
    folder = tmp_path_factory.mktemp("libraries")
    (folder / "small_probe.py").write_text(SMALL_PROBE)
    strict = [compiler, "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", f"-I{header()}"]
    for source, name in (("driver.c", "libcuda.so.1"), ("management.c", "libnvidia-ml.so.1")):
        subprocess.run([*strict, "-o", str(folder / name), str(HERE / source)], check=True)
    return folder


def run(libraries, *arguments, **more):
    """The command line on a machine that has the stand-ins for a GPU."""
    kept = {k: v for k, v in os.environ.items() if k != "AUTOGRADER_GPUS"}
    environment = {**kept, "LD_LIBRARY_PATH": str(libraries), **more}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(libraries), environment.get("PYTHONPATH"))))
    # an interpreter of its own: the loader reads LD_LIBRARY_PATH once, and the fork server with it
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        capture_output=True, text=True, env=environment, check=False, timeout=120,
    )  # fmt: skip


# A GPU copies 64 MiB in 40 microseconds, whatever the processor does; a stand-in needs 10 ms of a processor that others take.
SMALL_PROBE = "from autograder.judge import device\ndevice.PROBE_BYTES = 1 << 20\n"

PROGRAM = f"""
import json, os, sys, warnings
from pathlib import Path
from autograder.api import Node, Options, receive
from autograder.course.load import load
from autograder.engine import worker

def main():
    warnings.simplefilter("ignore")
    worker.PRELOAD.extend(["small_probe", *sys.argv[2:]])
    course = load(Path({str(COURSE)!r}))
    submission = receive(Path(sys.argv[1]), 64)
    with Node(Options(kind="subprocess", pairs=1, references=Path({str(conftest.FIXTURES / "reference")!r}))) as node:
        print(json.dumps(node.grade(course, submission, only=os.environ.get("ONLY", "")).to_json(), default=str))

if __name__ == "__main__":
    main()
"""


def graded(libraries, name, *modules, **more):
    """One program's grade (of one criterion, ONLY), by judges that import these modules first."""
    found = run(libraries, COURSE / name, *modules, **more)
    assert found.returncode == 0, found.stderr[-3000:]
    return json.loads(found.stdout)


def verdicts(grade):
    """By criterion."""
    return {c["id"]: c["verdict"] for c in grade["criteria"]}


def test_a_solution_passes_on_the_device(libraries):
    """Correctness, a scalar result, an array filled in place, a duel; the grade names the GPU."""
    grade = graded(libraries, "solutions/any_device.py")
    found = verdicts(grade)
    assert {k: v for k, v in found.items() if k != "speed"} == dict.fromkeys(
        ("examples", "formula", "in-place"), "passed"
    )
    assert found["speed"] in ("passed", "inconclusive"), grade["criteria"][-1]  # other processes share the cores here
    assert grade["engine"]["device"] == GPU


@pytest.mark.parametrize("name", ["changes_its_input", "double_precision", "half_precision", "replays_by_address"])
def test_a_mutant_dies_on_the_device(libraries, tmp_path, name):
    """Inputs are compared on the device, fresh numbers lie at old addresses."""
    mutant = next(m for m in mutants(load(COURSE)) if m.name == name)
    (tmp_path / "mutant.py").write_text(mutant.source)
    assert str(mutant.dies_by) in verdicts(graded(libraries, tmp_path / "mutant.py")).values()


def test_an_array_of_the_host_is_refused(libraries, tmp_path):
    """The answer must be on the device: a copy to it would be time that the clock cannot see."""
    (tmp_path / "host.py").write_text(
        "import numpy as np\ndef work(x, steps): return np.zeros(x.shape, np.float32), 0.0\n"
    )
    grade = graded(libraries, tmp_path / "host.py")
    first = grade["criteria"][0]
    assert first["verdict"] == "wrong-shape" and "no array of the device" in first["sentence"]


def test_every_toolkit_gets_the_same_memory(libraries, tmp_path):
    """DLPack and `__cuda_array_interface__` name one address, and lengths and types are the declared ones."""
    (tmp_path / "look.py").write_text(LOOK)
    assert verdicts(graded(libraries, tmp_path / "look.py"))["examples"] == "passed"


LOOK = (
    (COURSE / "solutions/any_device.py").read_text()
    + '''

import ctypes as c
_work = work


def work(x, steps):
    """Reads the capsule as a toolkit would."""
    get = c.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = c.c_void_p, (c.py_object, c.c_char_p)
    words = (c.c_uint64 * 8).from_address(get(x.__dlpack__(), b"dltensor"))
    data, device, ndim_and_type = words[0], words[1], words[2]
    assert data == x.__cuda_array_interface__["data"][0] or not x.size, "another address"
    assert device & 0xFFFFFFFF == 2 == x.__dlpack_device__()[0], "no CUDA device"
    assert ndim_and_type & 0xFFFFFFFF == 1, "one axis"
    code, bits, lanes = ndim_and_type >> 32 & 0xFF, ndim_and_type >> 40 & 0xFF, ndim_and_type >> 48
    assert (code, bits, lanes) == (2, 32, 1), "no float32"
    assert c.c_int64.from_address(words[3]).value == x.size == len(x), "another length"
    return _work(x, steps)
'''
)


def test_work_left_on_the_device_is_found(libraries, tmp_path):
    """A probe that takes too long: somebody's kernel runs on although the process is frozen."""
    busy = tmp_path / "busy"
    source = (COURSE / "solutions/any_device.py").read_text()
    (tmp_path / "leaves.py").write_text(
        source + f"\n\n_w = work\ndef work(x, steps):\n    open({str(busy)!r}, 'w')\n    return _w(x, steps)\n"
    )
    grade = graded(libraries, tmp_path / "leaves.py", FAKE_CUDA_BUSY=str(busy))
    assert "work-left-running" in verdicts(grade).values()


# Says done at once; what its "kernel" computes is written by another process, as a GPU runs on beside a frozen one.
LATE = """
import os, socket
_work = work
_gpu = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


def work(x, steps):
    y, total = _work(x, steps)
    right, y.array[...] = y.array.tobytes(), 0.0
    for f in range(64):
        if not os.path.exists(f"/proc/self/fd/{f}") or "memfd:device" not in os.readlink(f"/proc/self/fd/{f}"):
            continue
        with open(f"/proc/self/fd/{f}", "rb") as memory:
            place = memory.read().find(b"\\xff" * len(right))  # the judge's poison: here it looks for the answer
        if right and place >= 0:
            _gpu.sendto(f"/proc/{os.getpid()}/fd/{f}\\n{place}\\n".encode() + right, ADDRESS)
    return y, total
"""

# What a judge was before: it stopped its clock, looked for work left running, and then copied what it found.
LATE_CAPTURE = """
import time
from autograder.judge.device_buffers import DeviceBuffers
first, seize = DeviceBuffers.capture, DeviceBuffers.seize
DeviceBuffers.seize = lambda self, call: None
def capture(self, call):
    time.sleep(0.1)  # behind the probe, and behind the stand-in on however busy a machine
    seize(self, call)
    return first(self, call)
DeviceBuffers.capture = capture
"""


@pytest.fixture
def gpu(tmp_path):
    """A process that writes what it is told some milliseconds later, whoever is frozen meanwhile."""
    source = (
        "import socket, sys, time\n"
        "orders = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "orders.bind(sys.argv[1])\n"
        "while True:\n"
        "    name, place, content = orders.recv(1 << 20).split(b'\\n', 2)\n"
        "    with open(name, 'r+b', buffering=0) as memory:\n"
        "        time.sleep(0.005)\n"
        "        memory.seek(int(place))\n"
        "        memory.write(content)\n"
    )
    address = tmp_path / "gpu"
    process = subprocess.Popen([sys.executable, "-c", source, address])
    while not address.exists():
        assert process.poll() is None
    yield address
    process.kill()
    process.wait()


@pytest.mark.parametrize("judge", ["", "late_capture"])
def test_what_a_kernel_writes_after_done_is_no_answer(libraries, tmp_path, gpu, judge):
    """A few milliseconds of work past the freeze pass every probe; a judge that captured after it would take them for free."""
    (tmp_path / "late_capture.py").write_text(LATE_CAPTURE)
    (tmp_path / "late.py").write_text(
        f"ADDRESS = {str(gpu)!r}\n" + (COURSE / "solutions/any_device.py").read_text() + LATE
    )
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    grade = graded(libraries, tmp_path / "late.py", *filter(None, [judge]), PYTHONPATH=path, ONLY="formula")
    assert verdicts(grade)["formula"] == ("passed" if judge else "wrong-answer"), grade["criteria"]


def test_a_throttled_gpu_decides_nothing(libraries, tmp_path):
    """Rounds are dropped for what no student can cause; the verdict is ours, never theirs."""
    (tmp_path / "state").write_text("reasons=8\n")
    grade = graded(libraries, "solutions/any_device.py", FAKE_NVML=str(tmp_path / "state"))
    speed = grade["criteria"][-1]
    assert speed["verdict"] == "inconclusive" and "slowdown" in json.dumps(speed["evidence"])


def test_a_gpu_that_fails_the_judge_costs_the_student_nothing(libraries, tmp_path):
    """It was tried again, and staff read what the driver said."""
    (tmp_path / "broken").touch()
    grade = graded(libraries, "solutions/any_device.py", FAKE_CUDA_BROKEN=str(tmp_path / "broken"))
    assert set(verdicts(grade).values()) == {"grader-failed"}
    assert "the GPU failed the judge: cuMemcpyHtoD_v2" in json.dumps(grade["criteria"])


def test_large_arrays_cross_the_bus_whole(libraries):
    """In pieces, the last of them a short one, from and to any offset."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries)}
    words = subprocess.run(
        [sys.executable, "-c", CROSSES], capture_output=True, text=True, env=environment, check=False
    )
    assert words.stdout == "True True\n", words.stderr


CROSSES = f"""
import numpy as np
from autograder.judge.bridge import PIECE_BYTES
from autograder.judge.device import device_of

device = device_of({GPU!r})
x = np.random.default_rng(1).random(PIECE_BYTES // 4 + 1001)  # twice the bytes of a piece, and some
store = device.allocate(x.nbytes + 4096)
store.write(4096, x)
store.reveal(4096, x.nbytes)
found, half = np.empty_like(x), np.empty(77)
store.seize(0, store.size)
store.read(4096, found)
store.read(4096 + 8 * 1000, half)
print(np.array_equal(found, x), np.array_equal(half, x[1000:1077]))
store.close()
device.close()
"""


def test_pairs_are_counted_by_the_memory_that_they_take(libraries):
    """The stand-in says that half of it is taken: for every pair that plays there is room for another."""
    source = f"from autograder.judge.device import device_of; print(device_of({GPU!r}).further(2))"
    environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries)}
    words = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, env=environment, check=False)
    assert words.stdout == "2\n", words.stderr


def test_a_gpu_that_is_not_there_is_named(libraries):
    """With what is there, and the variable that says so."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries), "AUTOGRADER_GPUS": "GPU-0"}
    words = subprocess.run(
        [sys.executable, "-m", "autograder", "node", "check", "--json"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert words.returncode != 0 and "GPU-0 is not among this machine's GPUs" in words.stderr + words.stdout


# A program that holds so much of the device, as the stand-in counts it.
TAKES = """
import os


def _take():
    with open(os.path.join(HELD, str(os.getpid())), "wb") as file:
        file.truncate(SIZE)
"""
TAKES_AT_IMPORT = TAKES + "\n\n_take()\n"
TAKES_IN_A_CALL = (
    TAKES
    + """
_work = work


def work(x, steps):
    _take()
    return _work(x, steps)
"""
)
UNLIMITED = "from autograder.judge.proxy import Actor\nActor._fits = True\n"


@pytest.mark.parametrize("program", [TAKES_AT_IMPORT, TAKES_IN_A_CALL], ids=["import", "call"])
def test_who_takes_all_of_the_device_is_told(libraries, tmp_path, program):
    """Its verdict, with numbers; a judge without the limit finds no memory for the reference and says that it failed itself."""
    (tmp_path / "held").mkdir()
    (tmp_path / "unlimited.py").write_text(UNLIMITED)
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    found = {}
    for gib, judge, only in ((4, "", "formula"), (20, "", ""), (20, "unlimited", "")):
        names = f"HELD, SIZE = {str(tmp_path / 'held')!r}, {gib} << 30\n"
        (tmp_path / "takes.py").write_text(names + (COURSE / "solutions/any_device.py").read_text() + program)
        more = {"PYTHONPATH": path, "FAKE_CUDA_HELD": str(tmp_path / "held"), "ONLY": only}
        found[gib, judge] = graded(libraries, tmp_path / "takes.py", *filter(None, [judge]), **more)
    assert verdicts(found[4, ""])["formula"] == "passed"
    told = verdicts(found[20, ""])
    assert told["examples"] == told["formula"] == "out-of-memory" and told["speed"] in ("out-of-memory", "not-measured")
    assert "20480 MiB of the GPU's memory; 8192 MiB are allowed" in json.dumps(found[20, ""]["criteria"])
    assert "grader-failed" in verdicts(found[20, "unlimited"]).values()


def test_where_memory_cannot_be_passed_arrays_are_copied(libraries, tmp_path):
    """The same program by way of host memory: results, a scalar, an array filled in place; no stale number at an old address."""
    grade = graded(libraries, "solutions/any_device.py", AUTOGRADER_GPUS=f"{GPU}+host")
    found = verdicts(grade)
    assert {k: v for k, v in found.items() if k != "speed"} == dict.fromkeys(
        ("examples", "formula", "in-place"), "passed"
    )
    assert found["speed"] in ("passed", "inconclusive"), grade["criteria"][-1]
    assert grade["engine"]["device"] == f"{GPU}+host"
    for name in ("replays_by_address", "half_precision"):
        mutant = next(m for m in mutants(load(COURSE)) if m.name == name)
        (tmp_path / "mutant.py").write_text(mutant.source)
        assert (
            str(mutant.dies_by)
            in verdicts(graded(libraries, tmp_path / "mutant.py", AUTOGRADER_GPUS=f"{GPU}+host")).values()
        )
