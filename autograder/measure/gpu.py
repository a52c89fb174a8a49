"""This machine's GPUs, as NVIDIA's management library tells of them: what they are, and whether they can be trusted.

Everything here is asked of `pynvml` (nvidia-ml-py), which is imported where it is needed: machines without a GPU, and
students' servers, do without. Run on a H200; MIG and bad health only against stand-ins with the library's names.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from autograder.domain.device import SIMULATED, known, real, uuid
from autograder.errors import MachineError
from autograder.measure.fitness import Fitness, Item

VARIABLE = "AUTOGRADER_GPUS"
# bits of nvmlClocksEventReasons (NVML API reference): only these slow a kernel down against its neighbour in a round
THROTTLED = {
    0x0004: "the power cap",
    0x0008: "the hardware's slowdown",
    0x0020: "heat (software)",
    0x0040: "heat (hardware)",
    0x0080: "the external power brake",
}
POWER_SHARE = 0.9  # of the default limit; a lower cap makes the machine another one


@contextlib.contextmanager
def nvml() -> Iterator[Any]:
    """The library, initialised.

    Raises:
        MachineError: it is not installed, or there is no driver.
    """
    try:
        import pynvml
    except ImportError as error:
        raise MachineError("nvidia-ml-py is not installed") from error
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise MachineError(f"no NVIDIA driver answers: {error}") from error
    try:
        yield pynvml
    finally:
        pynvml.nvmlShutdown()


@cache
def present() -> tuple[str, ...]:
    """UUIDs of all GPUs that the driver shows; none without a driver."""
    try:
        with nvml() as library:
            handles = [library.nvmlDeviceGetHandleByIndex(i) for i in range(library.nvmlDeviceGetCount())]
            return tuple(str(library.nvmlDeviceGetUUID(h)) for whole in handles for h in _slices(library, whole))
    except MachineError:
        return ()


def _slices(library: Any, whole: Any) -> list[Any]:
    """The MIG devices of a board that is cut up; else the board itself."""
    try:
        if not library.nvmlDeviceGetMigMode(whole)[0]:
            return [whole]
        most = library.nvmlDeviceGetMaxMigDeviceCount(whole)
    except library.NVMLError:  # boards without MIG
        return [whole]
    found = []
    for i in range(most):
        with contextlib.suppress(library.NVMLError):  # a place that is not taken
            found.append(library.nvmlDeviceGetMigDeviceHandleByIndex(whole, i))
    return found


def lent() -> tuple[str, ...]:
    """What AUTOGRADER_GPUS names (UUIDs with commas between, `none`, or `simulated`); without it, all that are there
    and that CUDA_VISIBLE_DEVICES names, if it is set.

    `+host` behind a UUID has arrays copied by way of host memory, where memory cannot be passed between processes.

    Raises:
        MachineError: it names a GPU that is not there.
    """
    named = os.environ.get(VARIABLE)
    if named is None:
        return _visible(os.environ.get("CUDA_VISIBLE_DEVICES"))
    names = tuple(n.strip() for n in named.split(",") if n.strip() and n.strip() != "none")
    for name in names:
        if not known(name):
            raise MachineError(f"{VARIABLE}: {name!r} is neither a GPU's UUID (GPU-…), nor `none`, nor `{SIMULATED}`")
        if real(name) and uuid(name) not in present():
            raise MachineError(f"{VARIABLE}: {name} is not among this machine's GPUs: {', '.join(present()) or 'none'}")
    return names


def _visible(named: str | None) -> tuple[str, ...]:
    """All that are there, or those that a batch system gave to this job, by number or name."""
    if named is None:
        return present()
    here = dict(enumerate(present()))
    words = [w.strip() for w in named.split(",")]
    found = [
        here.get(int(w), "") if w.isdigit() else next((g for g in here.values() if w and g.startswith(w)), "")
        for w in words
    ]
    return tuple(filter(None, found))


def inspect_gpus() -> list[Item]:
    """Whether the GPUs of this machine can be trusted with a verdict; empty where there is none."""
    if not present():
        return []
    with nvml() as library:
        return [item for name in present() for item in _inspect(library, name)]


def _inspect(library: Any, gpu: str) -> Iterator[Item]:
    tenant = library.nvmlDeviceGetHandleByUUID(gpu)
    device = _board(library, tenant, gpu)
    name = f"GPU {library.nvmlDeviceGetName(device)} {gpu[:12]}"

    def ask(what: str, *more: Any, of: Any = device) -> Any:
        try:
            return getattr(library, what)(of, *more)
        except library.NVMLError:  # many boards do not know many questions
            return None

    clock, most = (ask(f"nvmlDeviceGet{m}ClockInfo", library.NVML_CLOCK_SM) for m in ("", "Max"))
    yield Item(
        f"{name}: clocks", Fitness.GOOD, f"{clock} of {most} MHz now; rounds are dropped when they are throttled"
    )
    reasons = throttle_words(ask("nvmlDeviceGetCurrentClocksThrottleReasons") or 0)
    if reasons:
        yield Item(f"{name}: throttled", Fitness.WARN, f"by {reasons} at this moment")
    cap, default = (ask(f"nvmlDeviceGetPowerManagement{m}Limit") for m in ("", "Default"))
    if cap and default:
        low = cap < POWER_SHARE * default
        words = f"{cap / 1000:.0f} W, the board's default is {default / 1000:.0f} W"
        yield Item(f"{name}: power cap", Fitness.WARN if low else Fitness.GOOD, words)
    if ask("nvmlDeviceGetPersistenceMode") == 0:
        yield Item(
            f"{name}: persistence",
            Fitness.WARN,
            "is off: the driver is loaded anew for whoever comes first (nvidia-smi -pm 1)",
        )
    mig = ask("nvmlDeviceGetMigMode")
    if mig and mig[0]:
        words = "is on: slices share clocks and power, and arrays are copied by way of host memory, within the call"
        yield Item(f"{name}: MIG", Fitness.WARN, words)
    ecc = ask("nvmlDeviceGetEccMode")
    if ecc is not None and not ecc[0]:
        yield Item(f"{name}: ECC", Fitness.WARN, "is off: a flipped bit would be a student's wrong answer")
    errors = ask("nvmlDeviceGetTotalEccErrors", library.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, library.NVML_VOLATILE_ECC)
    if errors:
        yield Item(f"{name}: ECC errors", Fitness.REFUSE, f"{errors} uncorrected since the driver was loaded")
    foreign = ask("nvmlDeviceGetComputeRunningProcesses", of=tenant) or []
    if foreign:
        pids = ", ".join(str(p.pid) for p in foreign)
        yield Item(
            f"{name}: other processes", Fitness.REFUSE, f"compute on it now: {pids}; a GPU that grades has one tenant"
        )
    if mps():
        yield Item(
            f"{name}: MPS", Fitness.REFUSE, "its control daemon runs: kernels of different tenants would share the GPU"
        )


def _board(library: Any, device: Any, gpu: str) -> Any:
    """The board that a slice is of: clocks, power and errors are the board's."""
    return library.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(device) if gpu.startswith("MIG-") else device


def mps() -> bool:
    """Whether NVIDIA's multi-process service runs on this machine."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "comm").read_text(encoding="utf-8").startswith("nvidia-cuda-mps"):
                return True
    return False


def throttle_words(reasons: int) -> str:
    """What holds the clocks down, of what matters; empty for nothing."""
    return ", ".join(words for bit, words in THROTTLED.items() if reasons & bit)


class GpuWatch:
    """What a student cannot cause: a GPU that is throttled, or that somebody else uses, after each call of a round."""

    def __init__(self, uuid: str, library: Any = None) -> None:
        """Args:
        uuid: of the GPU.
        library: `pynvml`, initialised; imported when it is not given.

        Raises:
            MachineError: there is no such GPU.
        """
        self._opened = nvml() if library is None else contextlib.nullcontext(library)
        self._library = self._opened.__enter__()
        self._device = self._library.nvmlDeviceGetHandleByUUID(uuid)
        self._board = _board(self._library, self._device, uuid)

    def complaint(self, ours: Callable[[int], bool]) -> str:
        """Why a round that was just played must be dropped, or nothing.

        Args:
            ours: whether a pid belongs to the judge or to one of its guests, whatever they have started.
        """
        reasons = throttle_words(int(self._library.nvmlDeviceGetCurrentClocksThrottleReasons(self._board)))
        if reasons:
            return f"the GPU's clocks were held down by {reasons}"
        return self.neighbours(ours)

    def neighbours(self, ours: Callable[[int], bool]) -> str:
        """Who else holds a context on it, in words; arguments as for `complaint`."""
        running = self._library.nvmlDeviceGetComputeRunningProcesses(self._device)
        foreign = [p.pid for p in running if not ours(p.pid)]
        return f"other processes used the GPU ({len(foreign)})" if foreign else ""

    def close(self) -> None:
        """Gives the library up."""
        self._opened.__exit__(None, None, None)
