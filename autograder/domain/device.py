"""Where the arrays of a GPU assignment live."""

from __future__ import annotations

# No GPU was lent: host memory stands for the device's, kernels run under simulators, and nothing is timed.
HOST = "host"
# A slot without hardware that behaves like one: device buffers are memory files. Shows the way of a submission
# through the whole platform; its times mean nothing, and its grades say so.
SIMULATED = "simulated"


def real(device: str) -> bool:
    """Whether this names a GPU, by the UUID that its driver gives it."""
    return device.startswith(("GPU-", "MIG-"))


def known(device: str) -> bool:
    """Whether this is a name that a node may lend."""
    return device == SIMULATED or real(device)
