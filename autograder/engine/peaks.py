"""The two limits of a roofline, measured: copy bandwidth and double-precision flop peak, on one core and on all of a slot.

Run in a guest of the grader image, on the cores where submissions are graded, by a program compiled there; timed from
outside, as everything is. Source: S. Williams, A. Waterman, D. Patterson, *Roofline*, CACM 52 (2009).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autograder.domain.assignment import Argument, Assignment, Function, Kind, Limits, Resources, ValueType
from autograder.domain.execution import Program
from autograder.domain.verdict import Verdict
from autograder.engine.node import Node
from autograder.errors import SandboxError
from autograder.judge.proxy import Actor
from autograder.measure.room import Room
from autograder.sandbox.profile import Profile

_REPEATS = 7
_DOUBLES = 1 << 24  # of each of two arrays: 128 MiB, more than any cache level in use
_SWEEPS, _OPERATIONS = 4, 3_840_000_000
# 12 independent chains of fused multiply-adds fill two pipes of latency 4, and leave registers for the two factors where there
# are 16. Lanes are as wide as a register: wider ones would live in memory. Counted are operations, whatever the lanes.
C_SOURCE = r"""
#include <string.h>
#include <stddef.h>
#if defined(__AVX512F__)
#define LANES 8
#elif defined(__AVX__)
#define LANES 4
#else
#define LANES 2
#endif
typedef double lanes __attribute__((vector_size(8 * LANES)));
double fma_chains(ptrdiff_t operations, double a, double b) {
    lanes x[12];
    for (int i = 0; i < 12; i++) x[i] = (lanes){} + (1.0 + i);
    for (ptrdiff_t k = 0; k < operations / (12 * LANES * 2); k++)
        #pragma GCC unroll 12
        for (int i = 0; i < 12; i++) x[i] = x[i] * a + b;
    lanes all = {};
    double sum = 0;
    for (int i = 0; i < 12; i++) all += x[i];
    for (int j = 0; j < LANES; j++) sum += all[j];
    return sum;
}
void copy(double *to, const double *from, ptrdiff_t n) { memcpy(to, from, 8 * n); }
"""
C_FLAGS = ("-O3", "-mprefer-vector-width=512", "-ffp-contract=fast", "-Wno-psabi", "-shared", "-fPIC")
_PROGRAM = f"""
import subprocess
import threading
from pathlib import Path

import numpy as np
from cffi import FFI

DOUBLES = {_DOUBLES}
Path("peaks.c").write_text({C_SOURCE!r})
subprocess.run(["gcc", *{C_FLAGS!r}, "-march=native", "-o", "peaks.so", "peaks.c"], check=True)
ffi = FFI()
ffi.cdef("double fma_chains(ptrdiff_t, double, double); void copy(double *, const double *, ptrdiff_t);")
library = ffi.dlopen("./peaks.so")
source = np.ones(DOUBLES)
target = np.zeros(DOUBLES)


def together(p, part):
    threads = [threading.Thread(target=part, args=(i,)) for i in range(p)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def multiply_add(n, p):
    together(p, lambda i: library.fma_chains(n, 1.0 - 1e-9, 1e-9))
    return 0.0


def copy(n, p):
    each = DOUBLES // p
    ends = [[ffi.cast("double *", a[i * each :].ctypes.data) for a in (target, source)] for i in range(p)]

    def part(i):
        for _ in range(n):
            library.copy(*ends[i], each)

    together(p, part)
    return 0.0
"""
_ARGUMENTS = (Argument("n", ValueType("int")), Argument("p", ValueType("int")))
_FMA = Function("multiply_add", _ARGUMENTS, (ValueType("float"),))
_COPY = Function("copy", _ARGUMENTS, (ValueType("float"),))


@dataclass(frozen=True, slots=True)
class Peaks:
    """What a slot of `cores` cores can do at most.

    Attributes:
        flops: double-precision operations a second, a fused multiply-add counted as two.
        bytes: a second, read plus written, of a copy that no cache level holds.
    """

    cores: int
    flops: float
    bytes: float

    def share(self, flops: float, moved: float, seconds: float) -> float:
        """What share of the roofline a call reaches that needs so many operations and bytes."""
        return max(flops / self.flops, moved / self.bytes) / seconds


def measure(node: Node, cores: tuple[int, ...]) -> Peaks:
    """The peaks of some cores: the fastest of several calls, because a limit is looked for.

    Raises:
        SandboxError: the engine or the compiler failed.
    """
    resources = Resources(len(cores), memory_mb=2048, processes=64, scratch_mb=64, preload=("numpy",))
    assignment = Assignment(
        "peaks", Path(), "peaks", "", "", Kind.THREADS, "", "", "", "", resources, Limits(load_s=60.0, call_s=60.0),
        (_FMA, _COPY), (), (),
    )  # fmt: skip
    profile = Profile.of(assignment, node.options.image, cores)
    room = Room(node.state)
    try:
        with node.guest(profile, room) as guest:
            actor = Actor(guest, assignment, room)
            try:
                finding = actor.load(Program({"solution.py": _PROGRAM.encode()}))
                if finding is not None:
                    raise SandboxError(f"the program that measures peaks does not load: {finding}")
                with room.exclusive():
                    p = len(cores)
                    fma_s, copy_s = _slope(actor, _FMA, _OPERATIONS, p), _slope(actor, _COPY, _SWEEPS, p)
            finally:
                actor.close()
    finally:
        room.close()
    return Peaks(p, p * _OPERATIONS / fma_s, (_DOUBLES // p) * p * 16 * _SWEEPS / copy_s)


def _slope(actor: Actor, function: Function, n: int, p: int) -> float:
    """Seconds that n more take, operations or sweeps."""

    def fastest(n: int) -> float:
        return min(_call(actor, function, n, p) for _ in range(_REPEATS))

    _call(actor, function, 1, p)
    return fastest(2 * n) - fastest(n)


def _call(actor: Actor, function: Function, n: int, p: int) -> float:
    outcome = actor.call(function, (np.int64(n), np.int64(p)))
    if outcome.verdict is not Verdict.PASSED:
        raise SandboxError(f"the program that measures peaks failed: {outcome.verdict} {outcome.note}")
    return outcome.elapsed_s
