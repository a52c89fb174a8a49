"""Reference guests that stay warm: a kernel is imported and compiled once, not for every submission."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import Future
from typing import NamedTuple

from autograder.engine.pool import Pool
from autograder.errors import SandboxError
from autograder.judge.grading import Hand, Job
from autograder.sandbox.base import Guest

ASSIGNMENTS = 4  # so many are kept; the one that has waited longest goes


class Key(NamedTuple):
    """Whom a warm guest may serve."""

    slug: str
    cores: tuple[int, ...]
    device: str
    kernel: str

    @classmethod
    def of(cls, job: Job) -> Key:
        """A kernel that was edited, or is another course's, is another kernel."""
        path = job.references / f"{job.assignment.kernel}.py"
        source = path.read_bytes() if path.is_file() else b""  # the judge says that it is missing
        digest = hashlib.sha256(source).hexdigest()
        return cls(job.assignment.slug, job.profile.cores, job.profile.device, digest)

    def displaces(self, other: Key) -> bool:
        """A GPU has one tenant, and an assignment one kernel on the same cores."""
        tenant = bool(self.device) and self.device == other.device
        edited = (self.slug, self.cores) == (other.slug, other.cores)
        return self != other and (tenant or edited)


class Warm:
    """They wait frozen between the submissions of one assignment; each is lent to one judge at a time.

    Attributes:
        kept: those that are not lent at the moment.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self.kept: dict[Key, list[Hand]] = {}
        self._lent: dict[str, Key] = {}  # by the label of the job

    def borrow(self, job: Job, count: int) -> list[Hand]:
        """So many for each of the profiles that the job needs for certain, new ones among them where need be.

        Raises:
            SandboxError: a new one did not start.
        """
        key = Key.of(job)
        with self._lock:
            known = self.kept.pop(key, [])
            others = [hand for k in list(self.kept) if key.displaces(k) for hand in self.kept.pop(k)]
        # the engine, or whoever may speak to it, may have ended some
        hands = [h for h in known if h.guest.alive and h.guest.profile in job.profiles]
        self._bury([*others, *(h for h in known if h not in hands)])
        fresh = [
            self._pool.start(profile)
            for profile in job.profiles
            for _ in range(count - sum(h.guest.profile == profile for h in hands))
        ]
        begun, problem = self._started(fresh)
        if problem is not None:
            self._bury([*hands, *begun])
            raise problem
        with self._lock:
            self._lent[job.label] = key
        return hands + begun

    def vacate(self, device: str) -> None:
        """Nobody of those who wait stays on a GPU that is another's now; without a device nothing happens."""
        with self._lock:
            keys = [key for key in self.kept if device and key.device == device]
            hands = [hand for key in keys for hand in self.kept.pop(key)]
        self._bury(hands)

    @staticmethod
    def _started(fresh: list[Future[Guest]]) -> tuple[list[Hand], SandboxError | None]:
        """Those that did start, and why another did not."""
        hands: list[Hand] = []
        problem: SandboxError | None = None
        for future in fresh:
            try:
                hands.append(Hand(future.result()))
            except SandboxError as error:
                problem = error
        return hands, problem

    def give_back(self, job: Job, hands: list[Hand]) -> None:
        """Keeps those that are fit for the next."""
        healthy, dropped = [h for h in hands if not h.broken], [h for h in hands if h.broken]
        with self._lock:
            key = self._lent.pop(job.label, None)  # of the kernel as it was when they were lent
            if key is not None and healthy and key not in self.kept:
                self.kept[key] = healthy
            else:
                dropped += healthy
            while len(self.kept) > ASSIGNMENTS:
                dropped += self.kept.pop(next(iter(self.kept)))
        self._bury(dropped)

    def close(self) -> None:
        """Ends all that are kept."""
        with self._lock:
            hands = [hand for kept in self.kept.values() for hand in kept]
            self.kept.clear()
        self._bury(hands)

    def _bury(self, hands: list[Hand]) -> None:
        for hand in hands:
            self._pool.bury(hand.guest)
