"""Every rung of the GPU assignments by the device's own events, against this GPU's copy bandwidth and its matrix products.

    python tests/bench/gpu_ladder.py [--output reference/README.md]

Programs run in this process, at the sizes of the timed calls, on data that lies on the device; medians of seven calls after one. What
the judge's clock adds, a call's beginning and end, is not in it. Libraries' own kernels stand beside ours where there are any.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from autograder.cli.marked import Marked
from autograder.course.load import load
from autograder.guest.gpu_shim import DeviceArray
from reference import network_batch

ROOT = Path(__file__).resolve().parents[2]
MARKS = Marked("device ladder: written by tests/bench/gpu_ladder.py; do not edit", "end of the device ladder")
CALLS = 7


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path)
    output = parser.parse_args().output
    try:
        import cupy
        import torch

        cupy.cuda.Device(0).use()
    except Exception as error:  # noqa: BLE001  # whatever a missing driver raises
        print(f"no GPU that CuPy and torch can use: {error}")
        return 1
    warnings.simplefilter("ignore")
    if output is not None:
        MARKS.read(output)
    table = "\n".join(rows(cupy, torch))
    print(table)
    if output is not None:
        MARKS.write(output, table)
    return 0


def rows(cupy: Any, torch: Any) -> Iterator[str]:
    """Markdown, line by line."""
    name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    bandwidth, peak = _limits(cupy, torch)
    yield (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {name}; copy of 1 GiB {bandwidth / 1e12:.2f} TB/s, "
        f"product of 8192 × 8192 matrices in float32 {peak / 1e12:.1f} Tflop/s; torch {torch.__version__}, CuPy {cupy.__version__}."
    )
    yield ""
    yield "| assignment, size | program | a call | against the baseline | of the copy bandwidth | of the matrix products |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for slug, size, make in work(cupy):
        yield from _assignment(cupy, torch, slug, size, make(), (bandwidth, peak))
        cupy.get_default_memory_pool().free_all_blocks()
        torch.cuda.empty_cache()


def _limits(cupy: Any, torch: Any) -> tuple[float, float]:
    """Bytes a second of a copy, operations a second of a product of matrices, without TF32."""
    source = cupy.zeros(1 << 28, cupy.float32)
    target = cupy.empty_like(source)
    square = torch.randn(8192, 8192, device="cuda")
    return (
        2 * source.nbytes / timed(cupy, lambda: cupy.copyto(target, source)),
        2 * 8192**3 / timed(cupy, lambda: square @ square),
    )


def work(cupy: Any) -> Iterator[tuple[str, str, Callable[[], tuple[Any, ...]]]]:
    """Slug, size in words, arguments on the device: those of the timed checks."""
    rng = np.random.default_rng(1)
    on = lambda array: _device(cupy, array)  # noqa: E731
    yield (
        "a12_gpu_network", "2²⁴ states",
        lambda: (on(network_batch.draw_states(rng, 1 << 24)), on(network_batch.draw_parameters(rng))),
    )  # fmt: skip
    field = lambda: on(300 * rng.random((1, 4096, 8192), dtype=np.float32))  # noqa: E731
    yield "a13_gpu_advection", "4096 × 8192 cells, 250 steps", lambda: (field(), 3.0, -2.0, 100.0, 1e3, 50.0, 250)
    yield "a14_gpu_scan", "2²⁶ numbers", lambda: (on(rng.random(1 << 26, dtype=np.float32) - np.float32(0.5)),)


def _assignment(
    cupy: Any, torch: Any, slug: str, size: str, given: tuple[Any, ...], limits: tuple[float, float]
) -> Iterator[str]:
    assignment = load(ROOT / "assignments" / slug)
    function = assignment.functions[0].name
    criterion = next(c for c in assignment.criteria if c.kind.timed)
    baseline = f"baseline {assignment.baseline}"
    files = {baseline: ROOT / "reference" / f"{assignment.baseline}.py"}
    files |= {f"solution {p.stem}": p for p in sorted((assignment.folder / "solutions").glob("*.py"))}
    files |= {f"**kernel {assignment.kernel}**": ROOT / "reference" / f"{assignment.kernel}.py"}
    calls = {name: (lambda p=path: getattr(program(p), function)) for name, path in files.items()}
    if slug == "a14_gpu_scan":
        calls["library torch.cumsum"] = lambda: lambda x: torch.cumsum(torch.as_tensor(x, device="cuda"), 0)
        calls["library cupy.cumsum"] = lambda: lambda x: cupy.cumsum(cupy.asarray(x))
    found = dict[str, float]()
    for name, program_of in calls.items():
        try:
            call = program_of()
            found[name] = timed(cupy, lambda c=call: c(*given))
        except Exception as error:  # noqa: BLE001  # a toolkit that this machine lacks costs one row
            print(f"{slug} {name}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
    yield from measured(f"{slug}, {size}", found, baseline, (criterion.bytes, criterion.flops), limits)


def measured(
    where: str, found: dict[str, float], baseline: str, counts: tuple[float, float], limits: tuple[float, float]
) -> Iterator[str]:
    """One line for each program, slowest first.

    Args:
        found: seconds by name.
        counts: bytes and operations of a call.
        limits: bytes and operations a second.
    """
    for name, seconds in sorted(found.items(), key=lambda row: -row[1]):
        times = f"{found[baseline] / seconds:.1f}×" if baseline in found else "–"
        shares = " | ".join(f"{count / seconds / most:.0%}" for count, most in zip(counts, limits, strict=True))
        yield f"| {where} | {name} | {1e3 * seconds:.3f} ms | {times} | {shares} |"
    if not found:
        yield f"| {where} | none could be measured | – | – | – | – |"


def program(path: Path) -> Any:
    """A module of that file."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.parent.name}_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _device(cupy: Any, array: Any) -> DeviceArray:
    """As a submission gets it."""
    memory = cupy.asarray(array)
    found = DeviceArray(memory.data.ptr, memory.shape, np.dtype(memory.dtype), (2, 0))
    found.memory = memory  # type: ignore[attr-defined]  # lives as long
    return found


def timed(cupy: Any, call: Callable[[], Any]) -> float:
    """Seconds of the middle call, by events."""
    call()
    cupy.cuda.Device().synchronize()
    found = []
    for _ in range(CALLS):
        begun, ended = cupy.cuda.Event(), cupy.cuda.Event()
        begun.record()
        call()
        ended.record()
        ended.synchronize()
        found.append(cupy.cuda.get_elapsed_time(begun, ended) / 1e3)
    return statistics.median(found)


if __name__ == "__main__":
    sys.exit(main())
