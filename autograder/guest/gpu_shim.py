"""The shim of a GPU assignment: as `shim.py`, but arrays live on the device, in memory that the judge owns.

AUTOGRADER_DEVICE says where: `cuda`, a GPU, through descriptors of the judge's allocations; `staged`, a GPU, by copies from and
to memory files; `simulated`, memory files that stand for it; `host`, the ordinary buffers. A student's function gets arrays
of the device and returns one, of any toolkit that speaks `__cuda_array_interface__`.
"""

import contextlib
import ctypes
import mmap
import os
import sys
import time
from typing import Any

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  # isolated mode leaves it out
import driver  # beside this file, inside the container
import shim

sys.path.pop(0)
KIND = os.environ.get("AUTOGRADER_DEVICE", "host")
_DL_TYPES = {"f": 2, "i": 0, "u": 1, "b": 6}  # DLDataTypeCode
_DL_CPU, _DL_CUDA = 1, 2  # DLDeviceType


class DeviceArray:
    """An array in the device's memory, for any toolkit: zero copies.

    Attributes:
        __cuda_array_interface__: version 3; CuPy, Numba and torch take it.
    """

    def __init__(self, address: int, shape: tuple[int, ...], dtype: np.dtype[Any], device: tuple[int, int]) -> None:
        self.shape, self.dtype, self.ndim = tuple(shape), dtype, len(shape)
        self.size = int(np.prod(self.shape, dtype=np.int64))
        self.nbytes = self.size * dtype.itemsize
        self._address, self._device = address, device
        if device[0] == _DL_CUDA:
            self.__cuda_array_interface__ = {
                "shape": self.shape, "typestr": dtype.str, "data": (address if self.size else 0, False),
                "version": 3, "strides": None, "stream": None,
            }  # fmt: skip

    def __len__(self) -> int:
        return self.shape[0]

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device

    def __dlpack__(self, **_: Any) -> Any:
        """A capsule of DLPack 0.8, as `from_dlpack` of every toolkit reads it."""
        return _capsule(self._address, self.shape, self.dtype, self._device)


class _Tensor(ctypes.Structure):
    """DLTensor."""

    _fields_ = (
        ("data", ctypes.c_void_p), ("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )  # fmt: skip


_DELETER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class _Managed(ctypes.Structure):
    """DLManagedTensor."""

    _fields_ = (("tensor", _Tensor), ("manager", ctypes.c_void_p), ("deleter", _DELETER))


_alive: list[Any] = []  # the judge's memory outlives every tensor on it, and so do these few bytes each
_nothing = _DELETER(lambda _: None)


def _capsule(address: int, shape: tuple[int, ...], dtype: np.dtype[Any], device: tuple[int, int]) -> Any:
    lengths = (ctypes.c_int64 * max(len(shape), 1))(*shape)
    bits = dtype.itemsize * 8
    tensor = _Tensor(address, *device, len(shape), _DL_TYPES[dtype.kind], bits, 1, lengths, None, 0)
    managed = _Managed(tensor, None, _nothing)
    _alive.append((managed, lengths))
    make = ctypes.pythonapi.PyCapsule_New
    make.restype, make.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return make(ctypes.addressof(managed), b"dltensor", None)


class HostGuest(shim.Guest):  # type: ignore[misc]
    """Without a GPU: host memory stands for the device's; results come from simulators and CPU builds."""

    def load(self) -> bytes:
        """CuPy has neither: where the image holds it all the same, it is as absent as in one for CPUs, and waits for a GPU."""
        sys.modules["cupy"] = None  # type: ignore[assignment]
        return bytes(super().load())

    def put(self, spec: Any, value: Any, what: str) -> None:
        """As ever, of whatever a simulator returns."""
        super().put(spec, value if "n" in spec else on_host(value), what)


class MemoryGuest(HostGuest):
    """A simulated device: its memory is two more files."""

    device_files: tuple[Any, Any]

    def attach(self, files: list[int]) -> None:
        """Maps the last two as the device's memory."""
        super().attach(files[:3])
        self.device_files = tuple(mmap.mmap(f, os.fstat(f).st_size) for f in files[3:])  # type: ignore[assignment]
        for f in files[3:]:
            os.close(f)

    def argument(self, spec: Any) -> Any:
        """Arrays come from the device's memory."""
        if "o" not in spec:
            return super().argument(spec)
        return np.ndarray(spec["s"], spec["d"], self.device_files[1 if spec["out"] else 0], spec["o"])

    def put(self, spec: Any, value: Any, what: str) -> None:
        """Arrays go to the device's memory."""
        if "n" in spec:
            super().put(spec, value, what)
            return
        array = on_host(value)
        target = np.ndarray(spec["s"], spec["d"], self.device_files[1], spec["o"])
        fits(target.shape, target.dtype, array.shape, array.dtype, what)
        np.copyto(target, array)

    def there(self, spec: Any, end: int) -> Any:
        """Memory behind the inputs: on a device, copying the result counts as what every call costs."""
        return super().there(spec, end) if "n" in spec else np.ndarray(spec["s"], spec["d"], self.device_files[0], end)


WAIT_BYTES = 1 << 16  # some 10 µs of a device's time, launch and wait included


class CudaGuest(shim.Guest):  # type: ignore[misc]
    """A GPU."""

    driver: Any = None
    scratch: Any = None
    given: Any = None
    asked: Any = None

    def attach(self, files: list[int]) -> None:
        """Maps the judge's allocations into this process's context."""
        super().attach(files[:3])
        if self.driver is None:
            self.driver = driver.Driver()
        for block in filter(None, (self.given, self.asked)):
            block.close()
        sizes = self.header()["device"]
        self.given, self.asked = (self.driver.adopt(f, n) for f, n in zip(files[3:], sizes, strict=True))
        for f in files[3:]:
            os.close(f)

    def go(self, empty: bool = False) -> bytes:
        """One call; done means that every stream of the device is."""
        self.driver.use()
        answer: bytes = super().go(empty)
        try:
            self.driver.use()
            self.driver.synchronize()
        except Exception as error:
            self.note(f"the device failed: {error}")
            return b"e"
        return answer

    def wait(self, seconds: float) -> None:
        """The device has work all the while, as under a kernel: it is neither asleep at the end, nor another context's."""
        until = time.perf_counter() + seconds
        self.scratch = self.scratch or self.driver.plain(WAIT_BYTES)
        while True:
            self.scratch.fill(0, 0, WAIT_BYTES)
            self.driver.synchronize()
            if time.perf_counter() >= until:
                return

    def argument(self, spec: Any) -> Any:
        """Arrays are the device's."""
        if "o" not in spec:
            return super().argument(spec)
        return self.array(self.asked if spec["out"] else self.given, spec["o"], spec)

    def put(self, spec: Any, value: Any, what: str) -> None:
        """A copy on the device, in order behind the student's kernels: all streams are waited for first."""
        if "n" in spec:
            if hasattr(value, "item"):  # a device scalar
                value = value.item()
            super().put(spec, value, what)
            return
        interface = getattr(value, "__cuda_array_interface__", None)
        if interface is None:
            raise shim.Refusal(f"{what}: {type(value).__name__} is no array of the device (__cuda_array_interface__)")
        shape, dtype = tuple(interface["shape"]), np.dtype(interface["typestr"])
        wanted = np.dtype(spec["d"])
        fits(tuple(spec["s"]), wanted, shape, dtype, what)
        if not packed(shape, dtype, interface.get("strides")):
            raise shim.Refusal(f"{what}: the array is not contiguous; return a contiguous one")
        self.driver.use()
        self.driver.synchronize()
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        self.driver.copy(self.asked.address + spec["o"], interface["data"][0], size)

    def there(self, spec: Any, end: int) -> Any:
        """Memory behind the inputs: on a device, copying the result counts as what every call costs."""
        return super().there(spec, end) if "n" in spec else self.array(self.given, end, spec)

    def array(self, block: Any, offset: int, spec: Any) -> DeviceArray:
        """On one of the judge's allocations."""
        return DeviceArray(block.address + offset, spec["s"], np.dtype(spec["d"]), (_DL_CUDA, self.driver.device))


class StagedGuest(CudaGuest):
    """A GPU whose memory the judge cannot pass on: arrays are copied from its files and back, and that counts on both sides."""

    files: tuple[Any, ...] = ()

    def attach(self, files: list[int]) -> None:
        """Maps the judge's files, and takes as much of the device."""
        shim.Guest.attach(self, files[:3])
        if self.driver is None:
            self.driver = driver.Driver()
        self.driver.use()
        for address in self.files:
            self.pinned("cuMemHostUnregister", address)
        for block in filter(None, (self.given, self.asked)):
            block.close()
        maps = [mmap.mmap(f, os.fstat(f).st_size) for f in files[3:]]
        for f in files[3:]:
            os.close(f)
        self.files = tuple(ctypes.addressof(ctypes.c_char.from_buffer(m)) for m in maps)
        self.given, self.asked = (self.driver.plain(len(m)) for m in maps)
        for address, m in zip(self.files, maps, strict=True):
            self.pinned("cuMemHostRegister_v2", address, len(m), 0)
        self.maps = maps

    def pinned(self, name: str, *arguments: Any) -> None:
        """Page-locked memory is copied faster; without it copies are as right."""
        with contextlib.suppress(driver.CudaError):
            self.driver.call(name, *arguments)

    def go(self, empty: bool = False) -> bytes:
        """One call, and what it filled in place back to the judge's file."""
        self.filled: list[Any] = []
        answer = super().go(empty)
        for spec in self.filled:
            self.back(spec)
        return answer

    def argument(self, spec: Any) -> Any:
        """Copied to the device first."""
        found = super().argument(spec)
        if isinstance(found, DeviceArray):
            out = bool(spec["out"])
            (self.asked if out else self.given).write(spec["o"], self.files[out] + spec["o"], found.nbytes)
            if out:
                self.filled.append(spec)
        return found

    def put(self, spec: Any, value: Any, what: str) -> None:
        """To the device's memory, and from there to the judge's file."""
        super().put(spec, value, what)
        if "n" not in spec:
            self.back(spec)

    def back(self, spec: Any) -> None:
        """From the device to the judge's file."""
        size = int(np.prod(spec["s"], dtype=np.int64)) * np.dtype(spec["d"]).itemsize
        self.driver.use()
        self.driver.synchronize()
        self.asked.read(spec["o"], self.files[1] + spec["o"], size)


def on_host(value: Any) -> Any:
    """A NumPy array of whatever a simulator or a CPU build returns."""
    if hasattr(value, "copy_to_host"):  # Numba's simulator
        return value.copy_to_host()
    if hasattr(value, "detach"):  # torch
        return value.detach().cpu().numpy()
    return np.asarray(value)


def fits(wanted: Any, wanted_type: Any, shape: Any, dtype: Any, what: str) -> None:
    """Shape and dtype as declared, or a refusal."""
    if tuple(shape) != tuple(wanted) or dtype != wanted_type:
        expected = f"shape {tuple(wanted)}, dtype {wanted_type}"
        raise shim.Refusal(f"{what}: expected {expected}; got shape {tuple(shape)}, dtype {dtype}")


def packed(shape: tuple[int, ...], dtype: np.dtype[Any], strides: Any) -> bool:
    """Whether an array is contiguous in C order; strides are bytes, None says that it is."""
    if strides is None or 0 in shape:
        return True
    step = dtype.itemsize
    for n, stride in zip(reversed(shape), reversed(tuple(strides)), strict=True):
        if n > 1 and stride != step:
            return False
        step *= n
    return True


GUESTS = {"host": HostGuest, "simulated": MemoryGuest, "cuda": CudaGuest, "staged": StagedGuest}

if __name__ == "__main__":
    shim.main(GUESTS[KIND])
