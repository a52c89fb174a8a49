"""Where the arrays of a GPU assignment live."""

from __future__ import annotations

# No GPU was lent: host memory stands for the device's, kernels run under simulators, and nothing is timed.
HOST = "host"
# A slot without hardware that behaves like one: device buffers are memory files. Shows the way of a submission
# through the whole platform; its times mean nothing, and its grades say so.
SIMULATED = "simulated"
# Behind a GPU's name: its memory cannot be passed to another process, so arrays are copied from and to host memory within the call.
_STAGED = "+host"


def real(device: str) -> bool:
    """Whether this names a GPU, by the UUID that its driver gives it."""
    return device.startswith(("GPU-", "MIG-"))


def uuid(device: str) -> str:
    """The driver's name of a real one."""
    return device.removesuffix(_STAGED)


def staged(device: str) -> bool:
    """Whether its arrays go by way of host memory: slices of a GPU, and where a node says so."""
    return real(device) and (device.endswith(_STAGED) or device.startswith("MIG-"))


def known(device: str) -> bool:
    """Whether this is a name that a node may lend."""
    return device == SIMULATED or real(device)
