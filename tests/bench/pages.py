"""What a planted claim of three reads where nobody judges: one pass and three in a plain process.

    python tests/bench/pages.py

A guest gives all free memory back before each call, so a call draws its pages anew, and three passes draw hardly more of
them than one. Here two programs (`in_place` is that of `tests/engine/test_claims.py`) run under a guest's allocator settings, with memory kept and
given back, in random order; medians of rounds.
"""

from __future__ import annotations

import ctypes
import os
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from autograder.sandbox.profile import Profile

ROUNDS, ELEMENTS, STEPS = 60, 50_000, 200
ALLOCATOR = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")


def with_temporaries(x: np.ndarray) -> np.ndarray:
    """As one writes it."""
    y = x.copy()
    for _ in range(STEPS):
        y = np.sqrt(y * y + 1.0)
    return y


def in_place(x: np.ndarray) -> np.ndarray:
    """One array a pass."""
    y = x.copy()
    for _ in range(STEPS):
        np.multiply(y, y, out=y)
        np.add(y, 1.0, out=y)
        np.sqrt(y, out=y)
    return y


def timed(
    once: Callable[[np.ndarray], np.ndarray], x: np.ndarray, passes: int, *, given_back: bool
) -> tuple[float, int]:
    """Seconds and page faults of one call, with caches as somebody else left them."""
    np.ones(8 << 20, np.uint8).sum()
    if given_back:
        ctypes.CDLL(None).malloc_trim(0)
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, time.perf_counter()
    for _ in range(passes):
        y = once(x)
    float(y.sum())
    return time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def main() -> None:
    """Measures and prints."""
    settings = Profile("", (0,), 1024, 1, 1, ()).environment
    if any(os.environ.get(name) != settings[name] for name in ALLOCATOR):  # read once, when a process starts
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {n: settings[n] for n in ALLOCATOR})  # noqa: S606
    x = np.random.default_rng().normal(size=ELEMENTS)
    print("| pass | memory | one, ms | three, ms | faults of one | of three | ratio |\n" + "| --- " * 7 + "|")
    for once in (with_temporaries, in_place):
        for given_back in (False, True):
            found: dict[int, list[tuple[float, int]]] = {1: [], 3: []}
            for passes in (n for _ in range(ROUNDS) for n in random.sample([1, 3], 2)):
                found[passes].append(timed(once, x, passes, given_back=given_back))
            one, three = ([statistics.median(column) for column in zip(*found[n], strict=True)] for n in (1, 3))
            ratio = statistics.median(b / a for (a, _), (b, _) in zip(found[1], found[3], strict=True))
            memory = "given back" if given_back else "kept"
            print(
                f"| {once.__name__} | {memory} | {one[0] * 1e3:.2f} | {three[0] * 1e3:.2f} | {one[1]:.0f} | {three[1]:.0f} "
                f"| {ratio:.3f} |"
            )


if __name__ == "__main__":
    main()
