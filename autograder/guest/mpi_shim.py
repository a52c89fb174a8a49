"""One rank of a world inside the sandbox: the same words as `shim.py`, and a communicator for the student's function.

Every rank has a channel and buffers of its own; the judge deals the inputs and gathers the results, and never asks one
rank about another. The world's size is fixed when the container starts.
"""

import contextlib
import importlib
import os
import socket
import sys
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH120, PTH100  # isolated mode leaves it out
import shim  # beside this file, inside the container

sys.path.pop(0)


class Rank(shim.Guest):  # type: ignore[misc]
    """A guest that belongs to a world."""

    def __init__(self, channel: socket.socket, world: Any) -> None:
        super().__init__(channel)
        self.world = world

    def argument(self, spec: Any) -> Any:
        """The communicator, or what any guest is given."""
        return self.world if "comm" in spec else super().argument(spec)


def main() -> None:
    """Joins the world, takes a core where there is one for every rank, says which rank this is, and serves."""
    address, preload, cores = sys.argv[1], sys.argv[2], [int(c) for c in sys.argv[3].split(",")]
    for name in filter(None, preload.split(",")):
        importlib.import_module(name)
    from mpi4py import MPI  # this joins the world; every rank waits here for the others

    world = MPI.COMM_WORLD
    if world.size <= len(cores):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {cores[world.rank]})
    folder = f"rank{world.rank}"  # of its own: no rank imports a file that another is just writing
    os.mkdir(folder)  # noqa: PTH102
    os.chdir(folder)
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    channel.connect(address)
    sys.argv = ["solution.py"]
    channel.send(b"r" + bytes([world.rank]))
    Rank(channel, world).serve()


if __name__ == "__main__":
    main()
