"""What a judge needs from a place where student code runs."""

from __future__ import annotations

import socket
from typing import Protocol

from autograder.domain.execution import Usage
from autograder.errors import SandboxError
from autograder.sandbox.profile import Profile


class Guest(Protocol):
    """One sandboxed process tree. Frozen whenever it is not its turn.

    Attributes:
        channels: of single bytes; one, or one per rank of an MPI world.
    """

    channels: tuple[socket.socket, ...]
    profile: Profile
    isolated: bool

    @property
    def alive(self) -> bool:
        """Whether the shim (of every rank) still lives."""

    def ended_frozen(self) -> bool:
        """Of a guest that lived when it was frozen: whether it has been ended since.

        A guest may arm that itself (a timer's signal, a child's): so a second attempt has the same inputs as the first.
        """

    def holds(self, pid: int) -> bool:
        """Whether a process, by its number on this machine, belongs to this guest."""

    def freeze(self) -> None:
        """Stops every process of the guest; returns when the kernel confirms it."""

    def thaw(self) -> None:
        """Lets it run again."""

    def usage(self) -> Usage:
        """Counters of the whole process tree."""

    def out_of_memory(self, before: int = 0) -> bool:
        """Whether the kernel killed any of its processes for memory.

        Args:
            before: how many it had killed when the turn began (`usage().oom_kills`); those do not count.
        """

    def kill(self) -> None:
        """Ends every process of the guest, in milliseconds. May be called twice."""

    def remove(self) -> None:
        """Removes what a dead guest left: its container, its files. May take a tenth of a second."""


class Sandbox(Protocol):
    """Makes guests."""

    isolated: bool

    def start(self, profile: Profile, label: str) -> Guest:
        """A fresh guest, frozen, its shim ready.

        Raises:
            SandboxError: the engine failed; worth a second try.
        """


def hello(channel: socket.socket) -> int:
    """The rank that a shim says it is, before any student's code is there; the only rank of a plain guest is 0.

    Raises:
        SandboxError: it said anything else.
    """
    said = channel.recv(3)
    if len(said) != 2 or said[:1] != b"r":
        raise SandboxError("the shim did not say that it was ready")
    return said[1]
