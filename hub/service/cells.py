"""What notebooks show, run once and kept: the newest run of a submission is an artefact beside its grade."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from autograder.api import AutograderError, Ledger
from hub.service.ports import Grader

log = logging.getLogger("autograder.cells")
KIND = "cells"
_BY = "grader"


class CellRuns:
    """Has cells run, a few submissions at a time, in the order of asking.

    Args:
        run_s: how long a node may take, the wait for cores that no grading wants included: a deadline night's queue is
            worked off when the rush is over.
        patience_s: how long somebody waits who can do without.
        again_s: after a failure of ours, when it may be asked for once more.
        at_once: runs under way; each node runs one at a time.
    """

    def __init__(
        self, ledger: Ledger, grader: Grader, course: str, *, run_s: float = 7200.0, patience_s: float = 60.0,
        again_s: float = 300.0, at_once: int = 2, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.ledger, self.grader, self.course = ledger, grader, course
        self._run_s, self._patience_s, self._again_s, self._clock = run_s, patience_s, again_s, clock
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="cells")
        self._asked: dict[int, tuple[float, Future[bool]]] = {}
        self._lock = threading.Lock()
        self._calls: list[Callable[[int], None]] = []

    def close(self) -> None:
        """Begins nothing new."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def on_stored(self, call: Callable[[int], None]) -> None:
        """Calls back, in some thread, after a run was stored or failed."""
        self._calls.append(call)

    def stored(self, submission: int) -> bytes | None:
        """The run as JSON, if there is one."""
        entry = self.ledger.entry(submission)
        if entry is None:
            return None
        return self.ledger.artefact(self.course, KIND, entry.assignment, entry.student, str(submission))

    def ask(self, submission: int) -> Future[bool]:
        """Begins a run unless there is one, or it failed a moment ago; the answer is whether it is stored."""
        with self._lock:
            at, known = self._asked.get(submission, (0.0, None))
            if known is not None and not (_failed(known) and self._clock() - at > self._again_s):
                return known
            future = self._threads.submit(self._run, submission)
            self._asked[submission] = (self._clock(), future)
        future.add_done_callback(lambda _: [call(submission) for call in self._calls])
        return future

    def settled(self, submission: int) -> bool:
        """Whether there is nothing (more) to wait for: stored, failed, or asked for too long ago."""
        if self.stored(submission) is not None:
            return True
        future = self.ask(submission)
        at, _ = self._asked[submission]
        return future.done() or self._clock() - at > self._patience_s

    def _run(self, submission: int) -> bool:
        try:
            entry = self.ledger.entry(submission)
            if entry is None or self.stored(submission) is not None:
                return entry is not None
            content = json.dumps(self.grader.cells(submission, self._run_s)).encode()
            self.ledger.put_artefact(self.course, KIND, entry.assignment, entry.student, str(submission), content, _BY)
        except (AutograderError, OSError) as error:
            log.warning("the cells of submission %s were not run: %s", submission, error)
            return False
        return True


def _failed(run: Future[bool]) -> bool:
    return run.done() and (run.cancelled() or run.exception() is not None or not run.result())
