"""Buffers on a GPU: the judge owns the memory, the guest gets descriptors of it, and every copy is the judge's.

Reveal and capture are copies in the judge's own context while the guest is frozen; its wall clock decides, never an event of
the guest's. A guest that is frozen leaves its kernels running, so after each call a probe must take its calibrated time:
otherwise work was left on the device.

A `Store` is one allocation that both sides see; a `Device` makes them. `MemoryDevice` is made of memory files and stands
for a GPU where there is none.
"""

from __future__ import annotations

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
from autograder.judge.buffers import Region
from autograder.measure.gpu import GpuWatch
from autograder.measure.machine import copy_bandwidth

PROBE_BYTES = 64 << 20  # copied to the same size: some 40 µs on a H100, much longer beside somebody's kernel
PROBE_CALLS = 21
PROBE_FACTOR, PROBE_SLACK_S = 3.0, 2e-3  # a time slice of another context's kernel is 2 ms or more
PROBE_TRIES = 3
SCRUB_BYTES, SMALLEST_BYTES = 1 << 30, 1 << 21

Array = npt.NDArray[Any]


class Store(Protocol):
    """One allocation; offsets and sizes are bytes."""

    size: int
    descriptor: int

    def write(self, offset: int, array: Array) -> None:
        """From the judge to the device."""

    def read(self, offset: int, array: Array) -> None:
        """From the device to the judge, filling the array."""

    def fill(self, offset: int, size: int, byte: int) -> None:
        """Every byte the same."""

    def close(self) -> None:
        """Gives it up."""


class Device(Protocol):
    """What holds a guest's arrays."""

    def allocate(self, size: int) -> Store:
        """Memory for one guest."""

    @property
    def bandwidth(self) -> float:
        """Bytes a second, read plus written, of a copy on the device; an estimate from below."""

    def settle(self) -> None:
        """Before a call: nothing of earlier calls is in a cache, all copies have arrived."""

    def left_running(self) -> bool:
        """After a call: whether somebody's work is still on the device."""

    def complaint(self, ours: Callable[[int], bool]) -> str:
        """Why a round that was just played must be dropped, or nothing."""

    def scrub(self) -> None:
        """Overwrites what earlier tenants may have left."""

    def close(self) -> None:
        """Gives the device up."""


class MemoryStore:
    """A sealed memory file: a guest that finds its descriptor can neither shrink nor grow it."""

    def __init__(self, size: int) -> None:
        self._region = Region.make(size)
        self.size, self.descriptor = self._region.size, self._region.descriptor
        self._view = self._region.view

    def _at(self, offset: int, like: Array) -> Array:
        return np.ndarray(like.shape, like.dtype, self._view, offset)

    def write(self, offset: int, array: Array) -> None:
        """See `Store`."""
        self._at(offset, array)[...] = array

    def read(self, offset: int, array: Array) -> None:
        """See `Store`."""
        array[...] = self._at(offset, array)

    def fill(self, offset: int, size: int, byte: int) -> None:
        """See `Store`."""
        np.ndarray((size,), np.uint8, self._view, offset)[...] = byte

    def close(self) -> None:
        """The map goes when the last array on it goes."""
        self._region.close()


class MemoryDevice:
    """Stands for a GPU: the same buffers, the same protocol, no hardware."""

    def allocate(self, size: int) -> MemoryStore:
        """See `Device`."""
        return MemoryStore(size)

    @property
    def bandwidth(self) -> float:
        """The machine's."""
        return copy_bandwidth()

    def settle(self) -> None:
        """Nothing is cached."""

    def left_running(self) -> bool:
        """Nothing runs that the freezer does not stop."""
        return False

    def complaint(self, ours: Callable[[int], bool]) -> str:
        """Nobody else is there."""
        return ""

    def scrub(self) -> None:
        """Memory files are new."""

    def close(self) -> None:
        """Nothing is held."""


class CudaStore:
    """Device memory with a descriptor."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self.size = block.size
        self.descriptor = block.export()

    def write(self, offset: int, array: Array) -> None:
        """See `Store`."""
        source = np.ascontiguousarray(array)
        self._block.write(offset, source.ctypes.data, source.nbytes)

    def read(self, offset: int, array: Array) -> None:
        """See `Store`."""
        self._block.read(offset, array.ctypes.data, array.nbytes)

    def fill(self, offset: int, size: int, byte: int) -> None:
        """See `Store`."""
        self._block.fill(offset, byte, size)

    def close(self) -> None:
        """Unmaps, and closes the descriptor."""
        os.close(self.descriptor)
        self._block.close()


class CudaDevice:
    """A GPU, through the driver's interface."""

    def __init__(self, uuid: str, watch: GpuWatch | None = None) -> None:
        """Args:
        uuid: of the GPU.
        watch: of clocks and other tenants; made here when it is not given.

        Raises:
            SandboxError: the driver refuses; worth a second try on another machine.
        """
        try:
            self.driver = Driver(uuid)
            self._flush = self.driver.plain(2 * max(self.driver.attribute(L2_BYTES), 1 << 20))
            self._probes = [self.driver.plain(PROBE_BYTES) for _ in range(2)]
            self.probe_s = sorted(self._probe() for _ in range(PROBE_CALLS))[PROBE_CALLS // 2]
        except CudaError as error:
            raise SandboxError(f"the GPU {uuid} cannot be used: {error}") from error
        self._watch = watch or GpuWatch(uuid)

    def allocate(self, size: int) -> Store:
        """See `Device`."""
        return CudaStore(self.driver.allocate(size))

    @property
    def bandwidth(self) -> float:
        """From the probe, launch included."""
        return 2 * PROBE_BYTES / self.probe_s

    def settle(self) -> None:
        """Fills the L2 cache with other bytes, and takes back what was set aside in it for somebody's kernels."""
        self.driver.call("cuCtxResetPersistingL2Cache")
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

    def scrub(self) -> None:
        """Takes all free memory for a moment and zeroes it."""
        taken: list[Plain] = []
        left = self.driver.free_bytes()
        size = SCRUB_BYTES
        while (size := min(size, left)) >= SMALLEST_BYTES:
            try:
                block = self.driver.plain(size)
            except CudaError:  # not to be had in one piece
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
        self._watch.close()


class StagedDevice(CudaDevice):
    """A GPU whose memory cannot be passed on: the guest copies from and to memory files, within the call, and so does the reference.

    A guest that changes its inputs changes a copy of its own; nobody sees it, and it does no harm.
    """

    def allocate(self, size: int) -> Store:
        """See `Device`."""
        return MemoryStore(size)


def device_of(name: str) -> Device:
    """The device of that name, for a slot that has one."""
    if name == SIMULATED:
        return MemoryDevice()
    return StagedDevice(uuid(name)) if staged(name) else CudaDevice(name)
