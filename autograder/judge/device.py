"""Buffers on a GPU: the judge owns the memory, the guest gets descriptors of it, and every copy is the judge's.

Its wall clock decides, never an event of the guest's. A guest that is frozen leaves its kernels running, and they could read
and write shared memory on: so inputs become visible only after the clock has started, and the answer is what the memory
held before the clock was stopped. After each call a probe must take its calibrated time: otherwise work was left on the
device, which would slow down whoever comes next.

A `Store` is one allocation that both sides see, and a copy of it that is the judge's alone; a `Device` makes them.
`MemoryDevice` is made of memory files and stands for a GPU where there is none.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from autograder.domain.device import SIMULATED, staged, uuid
from autograder.errors import SandboxError
from autograder.guest.driver import L2_BYTES, Block, CudaError, Driver, Plain
from autograder.judge.bridge import Bridge
from autograder.judge.buffers import Region
from autograder.measure.gpu import GpuWatch
from autograder.measure.machine import copy_bandwidth
from autograder.measure.rotation import MOST_PAIRS

PROBE_BYTES = 64 << 20  # copied to the same size: some 40 µs on a H100, much longer beside somebody's kernel
PROBE_CALLS = 21
PROBE_FACTOR, PROBE_SLACK_S = 3.0, 2e-3  # a time slice of another context's kernel is 2 ms or more
PROBE_TRIES = 3
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h of the GNU C library
SCRUB_BYTES, SMALLEST_BYTES = 1 << 30, 1 << 21
SPREAD = 64 << 20

Array = npt.NDArray[Any]


class Store(Protocol):
    """One allocation, shared with a guest, and the judge's own of the same size; offsets and sizes are bytes."""

    size: int
    descriptor: int

    def write(self, offset: int, array: Array) -> None:
        """To the judge's own memory, where no kernel of the guest's finds it."""

    def reveal(self, offset: int, size: int, shift: int = 0) -> None:
        """From the judge's own memory to the shared, by so many bytes further on."""

    def fill(self, offset: int, size: int, byte: int) -> None:
        """Every byte of the shared memory the same."""

    def seize(self, offset: int, size: int, shift: int = 0) -> None:
        """Back to the judge's own; on return, nothing that happens to the shared can matter."""

    def read(self, offset: int, array: Array) -> None:
        """From the judge's own memory, filling the array."""

    def close(self) -> None:
        """Gives it up."""


class Device(Protocol):
    """What holds a guest's arrays.

    Attributes:
        spread: bytes by which arrays may lie elsewhere in each call; who waits at yesterday's address waits in vain.
    """

    spread: int

    def allocate(self, size: int) -> Store:
        """Memory for one guest."""

    @property
    def bandwidth(self) -> float:
        """Bytes a second, read plus written, of a copy on the device; an estimate from below."""

    def settle(self) -> None:
        """Before the clock starts: all copies have arrived, nothing is set aside for anybody's kernels."""

    def flush(self) -> None:
        """After inputs were revealed, before the guest is told: they are in no cache."""

    def left_running(self) -> bool:
        """After a call: whether somebody's work is still on the device."""

    def complaint(self, ours: Callable[[int], bool]) -> str:
        """Why a round that was just played must be dropped, or nothing."""

    def neighbours(self, ours: Callable[[int], bool]) -> str:
        """Who else uses the device, in words, or nothing."""

    def taken(self) -> int:
        """Bytes of its memory that somebody holds."""

    def further(self, pairs: int) -> int:
        """How many pairs of guests its memory has room for, beside so many that hold what is taken of it."""

    def scrub(self) -> None:
        """Overwrites what earlier tenants may have left."""

    def close(self) -> None:
        """Gives the device up."""


class MemoryStore:
    """A sealed memory file: a guest that finds its descriptor can neither shrink nor grow it."""

    def __init__(self, size: int) -> None:
        self._region = Region.make(size)
        self.size, self.descriptor = self._region.size, self._region.descriptor
        self._shared = np.frombuffer(self._region.view, np.uint8)
        self._own = np.zeros(self.size, np.uint8)

    def _at(self, offset: int, like: Array) -> Array:
        return np.ndarray(like.shape, like.dtype, self._own, offset)

    def write(self, offset: int, array: Array) -> None:
        """See `Store`."""
        self._at(offset, array)[...] = array

    def reveal(self, offset: int, size: int, shift: int = 0) -> None:
        """See `Store`."""
        self._shared[offset + shift : offset + shift + size] = self._own[offset : offset + size]

    def fill(self, offset: int, size: int, byte: int) -> None:
        """See `Store`."""
        self._shared[offset : offset + size] = byte

    def seize(self, offset: int, size: int, shift: int = 0) -> None:
        """See `Store`."""
        self._own[offset : offset + size] = self._shared[offset + shift : offset + shift + size]

    def read(self, offset: int, array: Array) -> None:
        """See `Store`."""
        array[...] = self._at(offset, array)

    def close(self) -> None:
        """The map goes when the last array on it goes."""
        self._region.close()


class MemoryDevice:
    """Stands for a GPU: the same buffers, the same protocol, no hardware."""

    spread = 0  # nothing runs that could wait

    def allocate(self, size: int) -> MemoryStore:
        """See `Device`."""
        return MemoryStore(size)

    @property
    def bandwidth(self) -> float:
        """The machine's."""
        return copy_bandwidth()

    def settle(self) -> None:
        """Copies of host memory have arrived when they return."""

    def flush(self) -> None:
        """Caches of a stand-in tell nothing."""

    def left_running(self) -> bool:
        """Nothing runs that the freezer does not stop."""
        return False

    def complaint(self, ours: Callable[[int], bool]) -> str:
        """Nobody else is there."""
        return ""

    def neighbours(self, ours: Callable[[int], bool]) -> str:
        """Nobody."""
        return ""

    def taken(self) -> int:
        """The machine's memory is limited elsewhere."""
        return 0

    def further(self, pairs: int) -> int:
        """The machine's memory is counted elsewhere."""
        return MOST_PAIRS

    def scrub(self) -> None:
        """Memory files are new."""

    def close(self) -> None:
        """Nothing is held."""


class CudaStore:
    """Device memory with a descriptor."""

    def __init__(self, block: Block, bridge: Bridge) -> None:
        self._block, self._own, self._bridge = block, block.driver.plain(block.size), bridge
        self.size = block.size
        self.descriptor = block.export()

    def write(self, offset: int, array: Array) -> None:
        """See `Store`."""
        source = np.ascontiguousarray(array)
        self._bridge.write(self._own, offset, source.ctypes.data, source.nbytes)

    def reveal(self, offset: int, size: int, shift: int = 0) -> None:
        """See `Store`; in the order of the judge's copies, which whoever flushes waits for."""
        self._block.driver.copy(self._block.address + offset + shift, self._own.address + offset, size)

    def fill(self, offset: int, size: int, byte: int) -> None:
        """See `Store`."""
        self._block.fill(offset, byte, size)

    def seize(self, offset: int, size: int, shift: int = 0) -> None:
        """See `Store`."""
        self._block.driver.copy(self._own.address + offset, self._block.address + offset + shift, size)
        self._block.driver.synchronize()

    def read(self, offset: int, array: Array) -> None:
        """See `Store`."""
        self._bridge.read(self._own, offset, array.ctypes.data, array.nbytes)

    def close(self) -> None:
        """Unmaps, and closes the descriptor."""
        os.close(self.descriptor)
        self._block.close()
        self._own.close()


class JudgesDriver(Driver):
    """The driver, in the judge: what fails there is never the submission's fault alone."""

    def call(self, name: str, *arguments: Any) -> None:
        """See `Driver`.

        Raises:
            SandboxError: it did not return CUDA_SUCCESS.
        """
        try:
            super().call(name, *arguments)
        except CudaError as error:
            raise SandboxError(f"the GPU failed the judge: {error}") from error


class CudaDevice:
    """A GPU, through the driver's interface."""

    spread = SPREAD

    def __init__(self, uuid: str, watch: GpuWatch | None = None) -> None:
        """Args:
        uuid: of the GPU.
        watch: of clocks and other tenants; made here when it is not given.

        Raises:
            SandboxError: the driver refuses; worth a second try on another machine.
        """
        try:
            self.driver = JudgesDriver(uuid)
            self._bridge = Bridge(self.driver)
            self._flush = self.driver.plain(2 * max(self.driver.attribute(L2_BYTES), 1 << 20))
            self._probes = [self.driver.plain(PROBE_BYTES) for _ in range(2)]
            self.probe_s = sorted(self._probe() for _ in range(PROBE_CALLS))[PROBE_CALLS // 2]
        except CudaError as error:
            raise SandboxError(f"the GPU {uuid} cannot be used: {error}") from error
        self._watch = watch or GpuWatch(uuid)

    def allocate(self, size: int) -> Store:
        """See `Device`."""
        return CudaStore(self.driver.allocate(size), self._bridge)

    @property
    def bandwidth(self) -> float:
        """From the probe, launch included."""
        return 2 * PROBE_BYTES / self.probe_s

    def settle(self) -> None:
        """See `Device`; what was set aside in the L2 cache for somebody's kernels is taken back."""
        self.driver.call("cuCtxResetPersistingL2Cache")
        self.driver.synchronize()

    def flush(self) -> None:
        """Fills the L2 cache with other bytes."""
        self._flush.fill(0, secrets.randbits(8), self._flush.size)
        self.driver.synchronize()

    def _probe(self) -> float:
        begun = time.perf_counter()
        self.driver.copy(self._probes[0].address, self._probes[1].address, PROBE_BYTES)
        self.driver.synchronize()
        return time.perf_counter() - begun

    def left_running(self) -> bool:
        """A copy of known size is slowed down by whatever else runs; several tries, because the bus has hiccups."""
        limit = PROBE_FACTOR * self.probe_s + PROBE_SLACK_S
        return all(self._probe() > limit for _ in range(PROBE_TRIES))

    def complaint(self, ours: Callable[[int], bool]) -> str:
        """See `Device`."""
        return self._watch.complaint(lambda pid: pid == os.getpid() or ours(pid))

    def neighbours(self, ours: Callable[[int], bool]) -> str:
        """See `Device`."""
        return self._watch.neighbours(lambda pid: pid == os.getpid() or ours(pid))

    def taken(self) -> int:
        """See `Device`; whose it is, the driver does not say."""
        free, total = self.driver.memory()
        return total - free

    def further(self, pairs: int) -> int:
        """See `Device`; what the judge holds is counted with the guests', so that some is left over."""
        free, total = self.driver.memory()
        return free * pairs // max(total - free, 1)

    def scrub(self) -> None:
        """Takes all free memory for a moment and zeroes it."""
        taken: list[Plain] = []
        left, _ = self.driver.memory()
        size = SCRUB_BYTES
        while (size := min(size, left)) >= SMALLEST_BYTES:
            try:
                block = self.driver.plain(size)
            except SandboxError:  # not to be had in one piece
                size //= 2
                continue
            block.fill(0, 0, block.size)
            taken.append(block)
            left -= size
        self.driver.synchronize()
        for block in taken:
            block.close()

    def close(self) -> None:
        """Gives up what it holds."""
        for block in (self._flush, *self._probes):
            block.close()
        self._bridge.close()
        self._watch.close()


class StagedDevice(CudaDevice):
    """A GPU whose memory cannot be passed on: the guest copies from and to memory files, within the call, and so does the reference.

    A guest that changes its inputs changes a copy of its own; nobody sees it, and it does no harm.
    """

    spread = 0  # the guest copies to memory of its own

    def allocate(self, size: int) -> Store:
        """See `Device`."""
        return MemoryStore(size)


def keep_memory() -> None:
    """Large arrays come from the process's heap, and freed ones go back there: pages that a round needs are there in the next.

    A check makes and drops arrays of a call's size in every round, of hundreds of megabytes where a GPU computes; new pages
    for them took a third of the time that a round of a14 takes on the host (measured on a CPU).
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library: slower, and as right
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_MAX, 0)
        library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def device_of(name: str) -> Device:
    """The device of that name, for a slot that has one."""
    if name == SIMULATED:
        return MemoryDevice()
    return StagedDevice(uuid(name)) if staged(name) else CudaDevice(name)
