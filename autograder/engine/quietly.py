"""Heavy work of ours on a machine that grades: never while rounds are timed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from autograder.measure.room import Room
from autograder.sandbox.state import state_folder


@contextmanager
def quietly() -> Iterator[None]:
    """Waits while a duel of this machine measures; duels wait for the block. Free where nothing is graded here."""
    room = Room(state_folder())
    try:
        with room.shared():
            yield
    finally:
        room.close()
