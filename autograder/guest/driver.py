"""NVIDIA's driver interface, as little of it as device buffers need. Standard library only: guests and judge both use it.

The judge allocates, exports a descriptor, and copies in a context of its own; the guest imports the descriptor and maps
the same memory. Names, constants and structures are those of `cuda.h` (CUDA Driver API, virtual memory management).
"""

import ctypes
import os
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_ubyte, c_uint, c_ulonglong, c_ushort, c_void_p
from typing import Any

PINNED = 1  # CU_MEM_ALLOCATION_TYPE_PINNED
DESCRIPTOR = 1  # CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR
DEVICE = 1  # CU_MEM_LOCATION_TYPE_DEVICE
READ_WRITE = 3  # CU_MEM_ACCESS_FLAGS_PROT_READWRITE
MINIMUM = 0  # CU_MEM_ALLOC_GRANULARITY_MINIMUM
L2_BYTES = 38  # CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE


class CudaError(Exception):
    """The driver refused."""


class Location(ctypes.Structure):
    """CUmemLocation."""

    _fields_ = (("type", c_int), ("id", c_int))


class Flags(ctypes.Structure):
    """The flags inside CUmemAllocationProp."""

    _fields_ = (
        ("compressionType", c_ubyte),
        ("gpuDirectRDMACapable", c_ubyte),
        ("usage", c_ushort),
        ("reserved", c_ubyte * 4),
    )


class Properties(ctypes.Structure):
    """CUmemAllocationProp."""

    _fields_ = (
        ("type", c_int),
        ("requestedHandleTypes", c_int),
        ("location", Location),
        ("win32HandleMetaData", c_void_p),
        ("allocFlags", Flags),
    )


class Access(ctypes.Structure):
    """CUmemAccessDesc."""

    _fields_ = (("location", Location), ("flags", c_int))


_pointer = c_ulonglong  # CUdeviceptr, CUmemGenericAllocationHandle
_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "cuInit": (c_uint,),
    "cuDeviceGetCount": (POINTER(c_int),),
    "cuDeviceGet": (POINTER(c_int), c_int),
    "cuDeviceGetAttribute": (POINTER(c_int), c_int, c_int),
    "cuDeviceGetUuid": (c_void_p, c_int),
    "cuDevicePrimaryCtxRetain": (POINTER(c_void_p), c_int),
    "cuCtxSetCurrent": (c_void_p,),
    "cuCtxSynchronize": (),
    "cuCtxResetPersistingL2Cache": (),
    "cuGetErrorName": (c_int, POINTER(c_char_p)),
    "cuMemGetAllocationGranularity": (POINTER(c_size_t), POINTER(Properties), c_int),
    "cuMemCreate": (POINTER(_pointer), c_size_t, POINTER(Properties), c_ulonglong),
    "cuMemExportToShareableHandle": (c_void_p, _pointer, c_int, c_ulonglong),
    "cuMemImportFromShareableHandle": (POINTER(_pointer), c_void_p, c_int),
    "cuMemAddressReserve": (POINTER(_pointer), c_size_t, c_size_t, _pointer, c_ulonglong),
    "cuMemMap": (_pointer, c_size_t, c_size_t, _pointer, c_ulonglong),
    "cuMemSetAccess": (_pointer, c_size_t, POINTER(Access), c_size_t),
    "cuMemUnmap": (_pointer, c_size_t),
    "cuMemAddressFree": (_pointer, c_size_t),
    "cuMemRelease": (_pointer,),
    "cuMemAlloc_v2": (POINTER(_pointer), c_size_t),
    "cuMemFree_v2": (_pointer,),
    "cuMemHostAlloc": (POINTER(c_void_p), c_size_t, c_uint),
    "cuMemFreeHost": (c_void_p,),
    "cuMemHostRegister_v2": (c_void_p, c_size_t, c_uint),
    "cuMemHostUnregister": (c_void_p,),
    "cuMemGetInfo_v2": (POINTER(c_size_t), POINTER(c_size_t)),
    "cuMemcpyHtoD_v2": (_pointer, c_void_p, c_size_t),
    "cuMemcpyDtoH_v2": (c_void_p, _pointer, c_size_t),
    "cuMemcpyDtoD_v2": (_pointer, _pointer, c_size_t),
    "cuMemsetD8_v2": (_pointer, c_ubyte, c_size_t),
}


class Driver:
    """One device and its primary context, which every toolkit in this process shares."""

    def __init__(self, uuid: str = "") -> None:
        """Args:
        uuid: of the device, as the management library writes it (GPU-…, MIG-…); empty takes the first.

        Raises:
            CudaError: there is no driver, or no such device.
        """
        try:
            self._library = ctypes.CDLL("libcuda.so.1")
        except OSError as error:
            raise CudaError(f"no CUDA driver: {error}") from error
        for name, arguments in _SIGNATURES.items():
            function = getattr(self._library, name)
            function.argtypes, function.restype = arguments, c_int
        if uuid.startswith("MIG-"):  # a process sees one slice: the one that is named, or the first
            os.environ["CUDA_VISIBLE_DEVICES"], uuid = uuid, ""
        self.call("cuInit", 0)
        self.device = self._find(uuid)
        context = c_void_p()
        self.call("cuDevicePrimaryCtxRetain", byref(context), self.device)
        self._context = context
        self.use()

    def _find(self, uuid: str) -> int:
        count = c_int()
        self.call("cuDeviceGetCount", byref(count))
        for ordinal in range(count.value):
            device, raw = c_int(), (c_ubyte * 16)()
            self.call("cuDeviceGet", byref(device), ordinal)
            self.call("cuDeviceGetUuid", raw, device)
            if not uuid or bytes(raw).hex() == uuid.partition("-")[2].replace("-", ""):
                return device.value
        raise CudaError(f"the driver shows {count.value} devices, none is {uuid or 'there'}")

    def call(self, name: str, *arguments: Any) -> None:
        """One call of the driver.

        Raises:
            CudaError: it did not return CUDA_SUCCESS.
        """
        code = getattr(self._library, name)(*arguments)
        if code:
            words = c_char_p()
            self._library.cuGetErrorName(code, byref(words))
            raise CudaError(f"{name}: {(words.value or b'').decode() or code}")

    def use(self) -> None:
        """Makes the primary context current: a student's code may have made another one so."""
        self.call("cuCtxSetCurrent", self._context)

    def synchronize(self) -> None:
        """Waits for every stream of the context."""
        self.call("cuCtxSynchronize")

    def attribute(self, number: int) -> int:
        """One of CUdevice_attribute."""
        value = c_int()
        self.call("cuDeviceGetAttribute", byref(value), number, self.device)
        return value.value

    def memory(self) -> tuple[int, int]:
        """Bytes of the device that nobody holds, and all of them."""
        free, total = c_size_t(), c_size_t()
        self.call("cuMemGetInfo_v2", byref(free), byref(total))
        return free.value, total.value

    def _properties(self) -> Properties:
        found = Properties()
        found.type, found.requestedHandleTypes = PINNED, DESCRIPTOR
        found.location = Location(DEVICE, self.device)
        return found

    def allocate(self, size: int) -> "Block":
        """Device memory that can be given to another process.

        Args:
            size: bytes; rounded up to the device's granularity.
        """
        properties, grain, handle = self._properties(), c_size_t(), _pointer()
        self.call("cuMemGetAllocationGranularity", byref(grain), byref(properties), MINIMUM)
        size = -(-size // grain.value) * grain.value
        self.call("cuMemCreate", byref(handle), size, byref(properties), 0)
        return Block(self, handle.value, size)

    def adopt(self, descriptor: int, size: int) -> "Block":
        """The same memory in this process, from the descriptor that its maker exported.

        Args:
            size: as its maker has it; the driver refuses another.
        """
        handle = _pointer()
        self.call("cuMemImportFromShareableHandle", byref(handle), c_void_p(descriptor), DESCRIPTOR)
        return Block(self, handle.value, size)

    def plain(self, size: int) -> "Plain":
        """Device memory for this process alone.

        Args:
            size: bytes, one at least.
        """
        address = _pointer()
        self.call("cuMemAlloc_v2", byref(address), size)
        return Plain(self, address.value, size)

    def copy(self, target: int, source: int, size: int) -> None:
        """From device to device, in stream order; `synchronize` waits for it."""
        if size:
            self.call("cuMemcpyDtoD_v2", target, source, size)


class Plain:
    """One allocation of this process."""

    def __init__(self, driver: Driver, address: int, size: int) -> None:
        self.driver, self.address, self.size = driver, address, size

    def write(self, offset: int, source: int, size: int) -> None:
        """From host memory at that address."""
        if size:
            self.driver.call("cuMemcpyHtoD_v2", self.address + offset, source, size)

    def read(self, offset: int, target: int, size: int) -> None:
        """To host memory at that address."""
        if size:
            self.driver.call("cuMemcpyDtoH_v2", target, self.address + offset, size)

    def fill(self, offset: int, byte: int, size: int) -> None:
        """Every byte the same."""
        if size:
            self.driver.call("cuMemsetD8_v2", self.address + offset, byte, size)

    def close(self) -> None:
        """Gives it back."""
        self.driver.call("cuMemFree_v2", self.address)


class Block(Plain):
    """One allocation that another process may map, too."""

    def __init__(self, driver: Driver, handle: int, size: int) -> None:
        self._handle = handle
        address = _pointer()
        driver.call("cuMemAddressReserve", byref(address), size, 0, 0, 0)
        super().__init__(driver, address.value, size)
        driver.call("cuMemMap", self.address, size, 0, handle, 0)
        access = Access(Location(DEVICE, driver.device), READ_WRITE)
        driver.call("cuMemSetAccess", self.address, size, byref(access), 1)

    def export(self) -> int:
        """A descriptor for another process; the caller closes it."""
        descriptor = c_int()
        self.driver.call("cuMemExportToShareableHandle", byref(descriptor), self._handle, DESCRIPTOR, 0)
        os.set_inheritable(descriptor.value, False)
        return descriptor.value

    def close(self) -> None:
        """Unmaps and releases; the memory goes when its last holder does."""
        self.driver.call("cuMemUnmap", self.address, self.size)
        self.driver.call("cuMemAddressFree", self.address, self.size)
        self.driver.call("cuMemRelease", self._handle)
