"""Shims that outlive their container.

Docker 20.10 leaves the `containerd-shim` of a container behind that is frozen while it ends: no child, no container, 13 MB.
Whoever removed a container looks for its shim a moment later and ends it. Only for containers that this process removed,
only without children, and only where we may (root on the engine's own machine; elsewhere nothing is found).
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

GRACE_S = 3.0  # a healthy shim is gone by then
SETTLE_S = 1.0  # what the end of a node waits for them
LOOK_S = 0.05


class Shims:
    """Removed containers whose shims may have stayed."""

    def __init__(self) -> None:
        self._removed: dict[str, float] = {}
        self._lock = threading.Lock()

    def removed(self, container: str) -> None:
        """Notes one, and now and then looks after those of a while ago: a look reads all of `/proc`."""
        now = time.monotonic()
        with self._lock:
            self._removed[container] = now
            oldest = next(iter(self._removed.values()))
        if now - oldest >= 2 * GRACE_S:
            self.bury(GRACE_S)

    def settle(self) -> int:
        """Waits until the shims of all removed containers have left, and ends those that do not; returns how many."""
        with self._lock:
            mine = set(self._removed)
        _wait(lambda: not mine & {container for _, container in _living()})
        ended = self.bury(0.0)
        if ended:
            time.sleep(LOOK_S)  # the engine has to notice
            _wait(lambda: not mine & {container for _, container in _living(cleaning=True)})
        return ended

    def bury(self, grace_s: float) -> int:
        """Ends the shims of containers that were removed so long ago; returns how many."""
        now = time.monotonic()
        with self._lock:
            due = {c for c, at in self._removed.items() if now - at >= grace_s}
            if not due:
                return 0
            for container in due:
                del self._removed[container]
        shims = [(pid, container) for pid, container in _living() if container in due]
        born: set[int] = set()  # who was forked bears the shim's name until it runs a program
        for pid, _ in shims:
            with contextlib.suppress(OSError):
                born |= _children(pid)
        ended = [container for pid, container in shims if pid not in born and _end(pid)]
        for container in ended:
            _forget(container)
        return len(ended)


def _wait(settled: Callable[[], bool]) -> None:
    until = time.monotonic() + SETTLE_S
    while not settled() and time.monotonic() < until:
        time.sleep(LOOK_S)


def _living(cleaning: bool = False) -> list[tuple[int, str]]:
    """(pid, container) of every shim that can be seen.

    When a shim is gone, the engine runs the same program once more, to clean up after it (`containerd-shim … delete`):
    that one leaves by itself and must not be ended; it is found where `cleaning` is asked for.
    """
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"containerd-shim" in words[0] and b"-id" in words and (cleaning or b"delete" not in words):
            found.append((int(folder.name), words[words.index(b"-id") + 1].decode("ascii", "replace")))
    return found


def _forget(container: str) -> None:
    """Removes the empty control groups that the shim would have removed; the kernel refuses those that are in use."""
    root = Path("/sys/fs/cgroup")
    for pattern in (f"*/docker/{container}", f"docker/{container}", f"system.slice/docker-{container}.scope"):
        for group in root.glob(pattern):
            with contextlib.suppress(OSError):
                group.rmdir()


def _children(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for task in tasks for child in task.read_text().split()}


def _end(pid: int) -> bool:
    try:
        if _children(pid):
            return False
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return False
    return True
