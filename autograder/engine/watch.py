"""Who watches a submission hears what happens to it."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import Any, Self

_MOST = 1000


class Subscription:
    """News of one submission; use as a context manager."""

    def __init__(self, board: Board, submission: int) -> None:
        self._board, self.submission = board, submission
        self.queue: SimpleQueue[dict[str, Any]] = SimpleQueue()

    def __enter__(self) -> Self:
        self._board.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._board.remove(self)

    def get(self, timeout: float) -> dict[str, Any] | None:
        """The next news, or None when none came in that many seconds."""
        try:
            return self.queue.get(timeout=timeout)
        except Empty:
            return None


class Board:
    """Passes news on, and remembers the last of each submission for those who come late."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watching: dict[int, set[Subscription]] = {}
        self._last: dict[int, dict[str, Any]] = {}

    def add(self, subscription: Subscription) -> None:
        """Starts with the last news."""
        with self._lock:
            self._watching.setdefault(subscription.submission, set()).add(subscription)
            if subscription.submission in self._last:
                subscription.queue.put(self._last[subscription.submission])

    def remove(self, subscription: Subscription) -> None:
        """Ends it."""
        with self._lock:
            watching = self._watching.get(subscription.submission, set())
            watching.discard(subscription)
            if not watching:
                self._watching.pop(subscription.submission, None)

    def tell(self, submission: int, phase: str, **news: Any) -> None:
        """Passes one piece of news on; a recorded grade is the last of it."""
        message = {"submission": submission, "phase": phase, **news}
        with self._lock:
            self._last[submission] = message
            if phase == "recorded" or len(self._last) > _MOST:
                self._last.pop(submission if phase == "recorded" else next(iter(self._last)), None)
            for subscription in self._watching.get(submission, ()):
                subscription.queue.put(message)
