"""Sealed memory files shared with one guest: what it reads, what it must fill, what it says in words.

Layout of the input file: 8 bytes of length, a JSON header, then arrays on 64-byte boundaries. The output file holds
results, and the arrays that a function fills in place. Both are written by the judge while the guest is frozen, and
their sizes are sealed, so that a guest can neither shrink a file under the judge's feet nor grow it.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import secrets
import socket
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.domain.assignment import Argument, Dim, Function, Role, ValueType
from autograder.errors import CourseError

HEADER_BYTES = 1 << 16
NOTE_BYTES = 8192
TEXT_BYTES = (1 << 20) + NOTE_BYTES
_ALIGN = 64
_SCALARS: dict[str, tuple[str, type[float] | type[int] | type[bool]]] = {
    "float": ("<f8", float),
    "int": ("<i8", int),
    "bool": ("|b1", bool),
}
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL

Array = npt.NDArray[Any]


@dataclass(slots=True)
class Region:
    """A sealed memory file, mapped by the judge."""

    descriptor: int
    view: mmap.mmap
    size: int

    @classmethod
    def make(cls, size: int) -> Region:
        """A file of exactly that size, readable by nobody but its holders."""
        size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        descriptor = os.memfd_create("autograder", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(descriptor, size)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        return cls(descriptor, mmap.mmap(descriptor, size), size)

    def close(self) -> None:
        """Gives up the descriptor; the map goes when the last array on it goes."""
        os.close(self.descriptor)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one value lies in a file."""

    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    scalar: str = ""

    @property
    def span(self) -> int:
        """Bytes from the first to past the last element."""
        if 0 in self.shape:
            return 0
        return sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True)) + self.dtype.itemsize

    def on(self, view: mmap.mmap) -> Array:
        """The value's array in a file."""
        return np.ndarray(self.shape, self.dtype, view, self.offset, self.strides)

    def spec(self) -> dict[str, Any]:
        """For the header."""
        words = {"o": self.offset, "d": self.dtype.str, "s": self.shape, "t": self.strides}
        return {**words, "n": self.scalar} if self.scalar else words


@dataclass(frozen=True, slots=True)
class Plan:
    """One call, laid out: what to write where, what to read back."""

    header: dict[str, Any]
    inputs: tuple[tuple[Slot, Array], ...]
    fills: tuple[tuple[Slot, Array], ...]
    returns: tuple[Slot, ...]
    callbacks: dict[str, tuple[tuple[Slot, ...], tuple[Slot, ...]]]
    input_bytes: int
    output_bytes: int


class _Cursor:
    """Hands out aligned offsets."""

    def __init__(self, start: int) -> None:
        self.position = start

    def place(
        self, dtype: np.dtype[Any], shape: tuple[int, ...], strides: tuple[int, ...] | None = None, scalar: str = ""
    ) -> Slot:
        slot = Slot(self.position, dtype, shape, _contiguous(dtype, shape) if strides is None else strides, scalar)
        self.position = -(-(self.position + slot.span) // _ALIGN) * _ALIGN
        return slot


def _contiguous(dtype: np.dtype[Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    strides, step = [], dtype.itemsize
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


def bind(function: Function, given: tuple[Any, ...], named: dict[str, Any]) -> list[tuple[Argument, Any]]:
    """Pairs declared arguments with values, as a Python call would.

    Raises:
        CourseError: a check calls the function in a way that its declaration does not allow.
    """
    values = dict(zip((a.name for a in function.arguments), given, strict=False))
    if (
        len(given) > len(function.arguments)
        or set(values) & set(named)
        or set(named) - {a.name for a in function.arguments}
    ):
        raise CourseError(function.name, f"a check calls it with arguments that are not declared: {function.signature}")
    values |= named
    bound = []
    for argument in function.arguments:
        if argument.name not in values and argument.default is None:
            raise CourseError(function.name, f"a check leaves out the argument {argument.name!r}")
        bound.append((argument, values.get(argument.name, argument.default)))
    return bound


def plan(
    function: Function, bound: list[tuple[Argument, Any]], callbacks: dict[str, Function], *, packed: bool = False
) -> Plan:
    """Lays out one call in the two files.

    Args:
        packed: arrays lose their strides, as a copy to a device does.

    Raises:
        CourseError: a value does not fit its declaration.
    """
    sizes: dict[str, int] = {}
    for argument, value in bound:
        _learn(function, argument, value, sizes)
    reading, writing = _Cursor(HEADER_BYTES), _Cursor(0)
    specs: list[dict[str, Any]] = []
    inputs: list[tuple[Slot, Array]] = []
    fills: list[tuple[Slot, Array]] = []
    boxes: dict[str, tuple[tuple[Slot, ...], tuple[Slot, ...]]] = {}
    for argument, value in bound:
        if argument.role is Role.COMM:
            specs.append({"comm": True})
        elif argument.role is Role.CALLBACK:
            declared = callbacks[argument.callback]
            out = tuple(_slot(a.type, sizes, writing, function) for a in declared.arguments)
            back = tuple(_slot(t, sizes, reading, function) for t in declared.returns)
            boxes[argument.name] = (out, back)
            specs.append({"c": [s.spec() for s in out], "r": [s.spec() for s in back]})
        elif argument.type.scalar:
            specs.append({"v": _SCALARS[argument.type.scalar][1](value)})
        else:
            array = np.ascontiguousarray(value) if packed else _normal(value)
            cursor = writing if argument.role is Role.OUT else reading
            slot = cursor.place(array.dtype, array.shape, array.strides)
            (fills if argument.role is Role.OUT else inputs).append((slot, array))
            specs.append({**slot.spec(), "out": argument.role is Role.OUT})
    returns = tuple(_slot(t, sizes, writing, function) for t in function.returns)
    header = {"f": function.name, "a": specs, "r": [s.spec() for s in returns], "end": reading.position}
    # on a device the empty call copies as many bytes from behind the inputs as the largest result needs
    room = max((s.span for s in returns), default=0)
    return Plan(
        header, tuple(inputs), tuple(fills), returns, boxes, reading.position + room, max(writing.position, _ALIGN)
    )


def _learn(function: Function, argument: Argument, value: Any, sizes: dict[str, int]) -> None:
    """Binds axis names, and checks the check."""
    if argument.role in (Role.CALLBACK, Role.COMM):
        return
    if argument.type.scalar:
        if argument.type.scalar == "int":
            sizes[argument.name] = int(value)
        return
    array = np.asarray(value)
    if array.dtype != np.dtype(argument.type.dtype) or array.ndim != len(argument.type.dims):
        raise CourseError(
            function.name,
            f"argument {argument.name!r} is declared {argument.type}, a check passes {array.dtype}{list(array.shape)}",
        )
    for dim, n in zip(argument.type.dims, array.shape, strict=True):
        if dim.name and sizes.setdefault(dim.name, n - dim.offset) != n - dim.offset:
            raise CourseError(function.name, f"axis {dim} of {argument.name!r} has two lengths")


def _slot(kind: ValueType, sizes: dict[str, int], cursor: _Cursor, function: Function) -> Slot:
    if kind.scalar:
        return cursor.place(np.dtype(_SCALARS[kind.scalar][0]), (), (), kind.scalar)
    return cursor.place(np.dtype(kind.dtype), tuple(_length(d, sizes, function) for d in kind.dims))


def _length(dim: Dim, sizes: dict[str, int], function: Function) -> int:
    if not dim.name:
        return dim.offset
    if dim.name not in sizes:
        raise CourseError(function.name, f"axis {dim} of the result is not bound by any argument")
    return max(sizes[dim.name] + dim.offset, 0)


def _normal(value: Any) -> Array:
    """The array itself, unless its strides are negative or broadcast."""
    array = np.asarray(value)
    if any(s <= 0 and n > 1 for s, n in zip(array.strides, array.shape, strict=True)):
        return np.ascontiguousarray(array)
    return array


class Buffers:
    """The three files of one guest, made larger when a call needs it."""

    def __init__(self, channel: socket.socket) -> None:
        """Args:
        channel: of the shim that maps them; a world has one of these per rank.
        """
        self.channel = channel
        self.input = Region.make(HEADER_BYTES)
        self.output = Region.make(HEADER_BYTES)
        self.text = Region.make(TEXT_BYTES)
        self.attached = False

    def fits(self, input_bytes: int, output_bytes: int) -> bool:
        """Whether the guest's maps are large enough; if not, larger files are made, to be attached again."""
        if self.input.size < input_bytes:
            self.input.close()
            self.input, self.attached = Region.make(input_bytes * 5 // 4), False
        if self.output.size < output_bytes:
            self.output.close()
            self.output, self.attached = Region.make(output_bytes * 5 // 4), False
        return self.attached

    def offer(self) -> None:
        """Sends the three descriptors; the guest maps them and says ready."""
        socket.send_fds(self.channel, [b"A"], [self.input.descriptor, self.output.descriptor, self.text.descriptor])
        self.attached = True

    def write_header(self, header: dict[str, Any]) -> None:
        """The words of this turn."""
        words = json.dumps(header).encode()
        if len(words) > HEADER_BYTES - 8:
            raise CourseError(str(header.get("f", "files")), "the call's header is too long")
        self.input.view[: 8 + len(words)] = len(words).to_bytes(8, "little") + words

    def write_files(self, files: dict[str, bytes], entry: str, adapter: str) -> int:
        """Lays out a program to load; returns the bytes needed.

        The names, as many and as long as intake lets through, do not fit into a header: their list lies behind it, and the
        contents behind that.
        """
        listing = json.dumps([(name, len(content)) for name, content in files.items()]).encode()
        needed = HEADER_BYTES + len(listing) + sum(map(len, files.values()))
        if self.input.size >= needed:
            self.input.view[HEADER_BYTES:needed] = b"".join([listing, *files.values()])
            self.write_header({"files": [HEADER_BYTES, len(listing)], "entry": entry, "adapter": adapter})
        return needed

    def prepare(self, call: Plan) -> None:
        """Writes fresh inputs and poisons the output, while nothing of the guest's runs."""
        self.write_header(call.header)
        for slot, array in call.inputs:
            slot.on(self.input.view)[...] = array
        for slot in call.returns:
            poison(slot.on(self.output.view))
        for slot, array in call.fills:
            slot.on(self.output.view)[...] = array
        os.lseek(self.text.descriptor, NOTE_BYTES, os.SEEK_SET)
        self.text.view[:1] = b"\0"

    def reveal(self, call: Plan) -> None:
        """What must not be seen before the clock has started; a frozen guest sees nothing."""

    def seize(self, call: Plan) -> None:
        """What must be owned before the clock stops; a frozen guest writes nothing."""

    def modified(self, call: Plan) -> bool:
        """Whether the guest changed what it was given to read (NaN equals NaN here: bytes are compared)."""
        return any(not same_bytes(slot.on(self.input.view), array) for slot, array in call.inputs)

    def capture(self, call: Plan) -> tuple[Any, ...]:
        """The judge's private copies: filled arrays first, then results."""
        arrays = [slot.on(self.output.view).copy() for slot, _ in call.fills]
        values = [slot.on(self.output.view).copy() for slot in call.returns]
        return (*arrays, *(v.item() if s.scalar else v for s, v in zip(call.returns, values, strict=True)))

    def words(self) -> str:
        """What the guest said: the note, then the end of what it printed; control characters removed."""
        note = bytes(self.text.view[:NOTE_BYTES]).partition(b"\0")[0].decode("utf-8", "replace")
        return "".join(c for c in note if c == "\n" or c.isprintable())[:4000]

    def close(self) -> None:
        """Gives up all three."""
        for region in (self.input, self.output, self.text):
            region.close()


def poison(array: Array) -> None:
    """NaN for floats, a random pattern for integers: nothing that was there before can pass for an answer."""
    if array.dtype.kind == "f":
        array[...] = np.nan
    elif array.dtype.kind == "b":
        array[...] = bool(secrets.randbits(1))
    else:
        array[...] = np.frombuffer(secrets.token_bytes(array.dtype.itemsize), array.dtype)[0]


def same_bytes(one: Any, other: Any) -> bool:
    """Bit for bit, eight bytes at a time where the size allows it."""
    a, b = (np.ascontiguousarray(x).reshape(-1).view(np.uint8) for x in (one, other))
    if a.size != b.size:
        return False
    return bool(np.array_equal(a.view(np.uint64), b.view(np.uint64)) if a.size % 8 == 0 else np.array_equal(a, b))
