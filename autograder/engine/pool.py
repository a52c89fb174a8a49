"""Containers started ahead of need: the next submission finds its guests waiting, frozen, with NumPy imported."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from autograder.errors import SandboxError
from autograder.measure.room import Room
from autograder.sandbox.base import Guest, Sandbox
from autograder.sandbox.profile import Profile

log = logging.getLogger("autograder.pool")
KEPT = 4  # profiles of those that share a core


class Pool:
    """Fresh guests by profile. Each is used once.

    What nobody has asked for lately is not kept: of profiles that share a core the newest few have guests ahead, so that
    their number follows the machine's cores, not how many assignments (or claims of projects) it has ever graded.
    """

    def __init__(self, sandbox: Sandbox, room: Callable[[], Room], starters: int = 4) -> None:
        self._sandbox = sandbox
        self._room = room
        self._threads = ThreadPoolExecutor(starters, thread_name_prefix="starter")
        self._ahead: dict[Profile, list[Future[Guest]]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def prime(self, profile: Profile, count: int) -> None:
        """Sees to it that so many guests are there or on their way."""
        with self._lock:
            self._primed(profile, count)

    def _primed(self, profile: Profile, count: int) -> list[Future[Guest]]:
        """With the lock held: those that wait, the profile being the newest from now on."""
        waiting = self._ahead.pop(profile, [])
        self._ahead[profile] = waiting
        while len(waiting) < count and not self._closed:
            waiting.append(self._threads.submit(self._start, profile))
        rivals = [p for p in self._ahead if set(p.cores) & set(profile.cores)]
        for outdated in rivals[:-KEPT]:
            self._renounce(self._ahead.pop(outdated))
        return waiting

    def _renounce(self, futures: list[Future[Guest]]) -> None:
        """Nobody wants those guests: they end now, or once they have started."""
        for future in futures:
            if not future.cancel():
                future.add_done_callback(self._unwanted)

    def _unwanted(self, future: Future[Guest]) -> None:
        if future.exception() is None:
            self.bury(future.result())

    def take(self, profile: Profile, count: int) -> list[Guest]:
        """So many guests, waiting for them if need be.

        Raises:
            SandboxError: the engine failed twice in a row.
        """
        with self._lock:
            waiting = self._primed(profile, count)
            taken, self._ahead[profile] = waiting[:count], waiting[count:]
        fit: list[Guest] = []
        try:
            for future in taken:
                fit.append(self._fit(future, profile))
        except BaseException:  # whoever asked has none of them
            for guest in fit:
                self.bury(guest)
            self._renounce(taken[len(fit) + 1 :])
            raise
        return fit

    def _fit(self, future: Future[Guest], profile: Profile) -> Guest:
        """That guest, or another one where it did not start or has not lived until now."""
        try:
            guest = future.result()
        except SandboxError:
            return self._start(profile)
        if guest.alive:
            return guest
        self.bury(guest)
        return self._start(profile)

    def start(self, profile: Profile) -> Future[Guest]:
        """One guest outside the pool, on its way."""
        return self._threads.submit(self._start, profile)

    def _start(self, profile: Profile) -> Guest:
        try:
            room = self._room()
            try:
                with room.shared():  # starting is noise: never while a neighbour measures
                    return self._sandbox.start(profile, "ahead")
            finally:
                room.close()
        except OSError as error:  # the room's file, or plain processes
            raise SandboxError(f"a guest did not start: {error}") from error

    def bury(self, guest: Guest) -> None:
        """Ends a guest now, and removes what it left soon. Where the engine is away that is logged, and left to the reaper:
        what the guest was for does not depend on it."""
        try:
            guest.kill()
        except SandboxError as error:
            log.warning("a guest could not be ended: %s", error)
        try:
            self._threads.submit(self._remove, guest)
        except RuntimeError:  # the pool was closed while somebody still had this one
            _removed(guest)

    def _remove(self, guest: Guest) -> None:
        room = self._room()
        try:
            with room.shared():
                _removed(guest)
        finally:
            room.close()

    def close(self) -> None:
        """Ends all that waits, and returns when nothing is left."""
        with self._lock:
            self._closed = True
            waiting = [f for futures in self._ahead.values() for f in futures]
            self._ahead.clear()
        for future in waiting:
            if not future.cancel() and future.exception() is None:
                self.bury(future.result())
        self._threads.shutdown(wait=True)


def _removed(guest: Guest) -> None:
    try:
        guest.remove()
    except SandboxError as error:
        log.warning("what a guest left is removed at the node's end: %s", error)
