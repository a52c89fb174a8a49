"""The buffers of a guest whose arrays live on a device; scalars and words stay in memory files."""

from __future__ import annotations

import os
import secrets
import socket
from typing import Any

import numpy as np

from autograder.judge.buffers import HEADER_BYTES, NOTE_BYTES, Array, Buffers, Plan, Slot, poison, same_bytes
from autograder.judge.device import Device, Store

STEP_BYTES = 256  # what a GPU's allocations are aligned to
STAYS = 3  # one call in so many
WHOLE_BYTES, PIECE_BYTES, PIECES = 16 << 20, 1 << 20, 14


class DeviceBuffers(Buffers):
    """As `Buffers`, with two allocations more: arrays lie there, in the order that they would have in the files.

    Where is drawn for each call, and said with it: a kernel that was launched in an earlier call, and waits for inputs to appear,
    would start before its process may, but does not know where to look. One call in three finds the place of the last, so that
    answers which are kept by address are found out; who waits there gains in too few rounds to matter.
    """

    def __init__(self, channel: socket.socket, device: Device) -> None:
        super().__init__(channel)
        self.device = device
        self.given: Store = device.allocate(HEADER_BYTES)
        self.asked: Store = device.allocate(HEADER_BYTES)
        self._scalars: dict[int, Any] = {}  # by offset in the output file: a device may have that memory, too
        self._in = self._out = 0  # by how much arrays lie further on in this call

    def fits(self, input_bytes: int, output_bytes: int) -> bool:
        """See `Buffers`; grows the device's allocations, too."""
        super().fits(input_bytes, output_bytes)
        spread = self.device.spread
        if self.given.size < input_bytes + spread:
            self.given.close()
            self.given, self.attached = self.device.allocate(input_bytes * 5 // 4 + spread), False
        if self.asked.size < output_bytes + spread:
            self.asked.close()
            self.asked, self.attached = self.device.allocate(output_bytes * 5 // 4 + spread), False
        return self.attached

    def offer(self) -> None:
        """Five descriptors; the sizes of the last two are said in the input file, for a driver that must be told."""
        self.write_header({"device": [self.given.size, self.asked.size]})
        files = [self.input.descriptor, self.output.descriptor, self.text.descriptor]
        socket.send_fds(self.channel, [b"A"], [*files, self.given.descriptor, self.asked.descriptor])
        self.attached = True

    def prepare(self, call: Plan) -> None:
        """Fresh inputs on the device, where the guest has no eyes yet; poisoned outputs."""
        if secrets.randbelow(STAYS):
            self._in, self._out = (
                secrets.randbelow(self.device.spread // STEP_BYTES + 1) * STEP_BYTES for _ in range(2)
            )
        self.write_header(self._moved(call.header))
        for slot, array in call.inputs:
            self.given.write(slot.offset, array)
        for slot in call.returns:
            if slot.scalar:
                poison(slot.on(self.output.view))
            else:  # all ones is a NaN for every float
                byte = 0xFF if slot.dtype.kind == "f" else secrets.randbits(8) & (1 if slot.dtype.kind == "b" else 0xFF)
                self.asked.fill(slot.offset + self._out, slot.span, byte)
        for slot, array in call.fills:
            self.asked.write(slot.offset, array)
        os.lseek(self.text.descriptor, NOTE_BYTES, os.SEEK_SET)
        self.text.view[:1] = b"\0"
        self.device.settle()

    def _moved(self, header: dict[str, Any]) -> dict[str, Any]:
        """The header with the places of this call; scalars stay where they are, in the files."""
        arguments = [{**a, "o": a["o"] + (self._out if a["out"] else self._in)} if "o" in a else a for a in header["a"]]
        results = [r if "n" in r else {**r, "o": r["o"] + self._out} for r in header["r"]]
        return {**header, "a": arguments, "r": results, "end": header["end"] + self._in}

    def reveal(self, call: Plan) -> None:
        """The inputs, to whatever may run on the device: the clock runs."""
        for slot, _ in call.inputs:
            self.given.reveal(slot.offset, slot.span, self._in)
        for slot, _ in call.fills:
            self.asked.reveal(slot.offset, slot.span, self._out)
        self.device.flush()

    def seize(self, call: Plan) -> None:
        """The answer, from whatever may run on: the clock runs until then."""
        self.asked.seize(0, call.output_bytes, self._out)
        scalars = [slot for slot in call.returns if slot.scalar]
        self._scalars = {slot.offset: slot.on(self.output.view).copy().item() for slot in scalars}

    def modified(self, call: Plan) -> bool:
        """Whether the guest changed what it was given to read: of large arrays, some pieces are looked at.

        Nobody else reads a guest's copy, so what this finds is a mistake, and what writes to its input does so everywhere, or
        at small sizes, too.
        """
        return any(
            self._differs(slot, array, at, size) for slot, array in call.inputs for at, size in pieces(slot.span)
        )

    def _differs(self, slot: Slot, array: Array, at: int, size: int) -> bool:
        self.given.seize(slot.offset + at, size, self._in)
        found = np.empty(size, np.uint8)
        self.given.read(slot.offset + at, found)
        return not same_bytes(found, array.reshape(-1).view(np.uint8)[at : at + size])

    def capture(self, call: Plan) -> tuple[Any, ...]:
        """The judge's private copies."""
        arrays = [_copy(self.asked, slot) for slot, _ in call.fills]
        values = [self._scalars[slot.offset] if slot.scalar else _copy(self.asked, slot) for slot in call.returns]
        return (*arrays, *values)

    def close(self) -> None:
        """Gives up all five."""
        super().close()
        self.given.close()
        self.asked.close()


def pieces(span: int) -> list[tuple[int, int]]:
    """Offsets and sizes, in bytes: all of a small array; of a large one the first, the last, and others at random."""
    if span <= WHOLE_BYTES:
        return [(0, span)] if span else []
    last = span - PIECE_BYTES
    return [(at, PIECE_BYTES) for at in (0, last, *(secrets.randbelow(last + 1) for _ in range(PIECES)))]


def _copy(store: Store, slot: Slot) -> Array:
    found = np.empty(slot.shape, slot.dtype)
    store.read(slot.offset, found)
    return found
