"""Large arrays cross the bus between the judge and a GPU by way of page-locked memory.

A GPU reads and writes page-locked memory by itself; to and from any other the driver carries small pieces, one after the
other. Locking the pages of every array that a check makes would take longer than copying it once more, in pieces that a
cache holds.
"""

from __future__ import annotations

import ctypes

from autograder.guest.driver import Driver, Plain

PIECE_BYTES = 8 << 20


class Bridge:
    """One piece of page-locked memory; sizes and offsets are bytes."""

    def __init__(self, driver: Driver) -> None:
        """Raises:
        CudaError: the driver has no page-locked memory left.
        """
        self._driver = driver
        address = ctypes.c_void_p()
        driver.call("cuMemHostAlloc", ctypes.byref(address), PIECE_BYTES, 0)
        self._address = address.value or 0

    def write(self, target: Plain, offset: int, source: int, size: int) -> None:
        """From host memory at that address."""
        for at in range(0, size, PIECE_BYTES):
            piece = min(PIECE_BYTES, size - at)
            ctypes.memmove(self._address, source + at, piece)
            target.write(offset + at, self._address, piece)

    def read(self, source: Plain, offset: int, target: int, size: int) -> None:
        """To host memory at that address."""
        for at in range(0, size, PIECE_BYTES):
            piece = min(PIECE_BYTES, size - at)
            source.read(offset + at, self._address, piece)
            ctypes.memmove(target + at, self._address, piece)

    def close(self) -> None:
        """Gives it up."""
        self._driver.call("cuMemFreeHost", self._address)
