"""The node's timing room: many may be in it while nobody measures, one alone while rounds are timed.

Two lock files make a turnstile: everybody queues at the gate, and a duel holds the gate while it waits for the room to
empty, so it is never starved. A guest is thawed only by somebody inside, in slices, so that whoever measures waits for
one slice at most, and every other sandbox of the node is frozen while rounds run.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

SLICE_S = 0.25


class Room:
    """A node-wide reader-writer lock; the kernel releases it when its holder dies."""

    def __init__(self, folder: Path, waiting: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        """Args:
        waiting: entered while others measure, and left when it is this process's turn.
        """
        self._waiting = waiting
        folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._gate = os.open(folder / "gate.lock", flags, 0o600)
        self._room = os.open(folder / "room.lock", flags, 0o600)
        self._alone = False

    @property
    def alone(self) -> bool:
        """Whether this process holds the room for itself."""
        return self._alone

    @contextmanager
    def shared(self) -> Iterator[None]:
        """With others, while nobody measures; free of charge for who already has the room alone."""
        if self._alone:
            yield
            return
        self._lock(self._gate, fcntl.LOCK_EX)
        try:
            self._lock(self._room, fcntl.LOCK_SH)
        finally:
            fcntl.flock(self._gate, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Alone: every other guest of this node is frozen meanwhile."""
        self._lock(self._gate, fcntl.LOCK_EX)
        try:
            self._lock(self._room, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._gate, fcntl.LOCK_UN)
        self._alone = True
        try:
            yield
        finally:
            self._alone = False
            fcntl.flock(self._room, fcntl.LOCK_UN)

    def _lock(self, descriptor: int, how: int) -> None:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            with self._waiting():
                fcntl.flock(descriptor, how)

    def wanted(self) -> bool:
        """Whether somebody waits at the gate."""
        if self._alone:
            return False
        try:
            fcntl.flock(self._gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._gate, fcntl.LOCK_UN)
        return False

    def close(self) -> None:
        """Gives up both files."""
        os.close(self._gate)
        os.close(self._room)
