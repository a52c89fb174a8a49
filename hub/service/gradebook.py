"""What counts in the ledger is brought into nbgrader's gradebook: one student's assignment at a time, in a thread.

Nothing is queued: what the gradebook lacks is found by comparing. The ledger says what counts (its *marks*: submission,
grade, review); a file beside the gradebook says what was written there, and so moves, is lost and is restored with it.
Whatever stopped a writing (a crash, a failure, a grade recorded by another process), the next comparison finds it.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from fastapi import APIRouter

from autograder.api import AutograderError, Ledger, quietly
from hub.nbgrader_plugins import built
from hub.nbgrader_plugins.gradebook import sync
from hub.nbgrader_plugins.ground import writable
from hub.service.cells import KIND, CellRuns
from hub.service.deadlines import Deadlines
from hub.service.identity import Identity, Person

log = logging.getLogger("autograder.gradebook")

WRITTEN = ".gradebook-written.json"
WITH_CELLS = "+cells"  # ends the mark of what was written with the notebook's outputs
LOOK_S = 5.0
_WORDS = 300  # characters of a failure's words
Key = tuple[str, str]  # assignment, student


class Written:
    """Which marks are in the gradebook of a course directory."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / WRITTEN

    def read(self) -> dict[Key, str]:
        """Nothing where the file is missing or damaged, or the gradebook is gone: then all is written again."""
        if not (self.path.parent / "gradebook.db").exists():
            return {}
        try:
            rows = json.loads(self.path.read_text(encoding="utf-8"))
            return {(str(a), str(s)): str(mark) for a, s, mark in rows}
        except (FileNotFoundError, ValueError, TypeError):
            return {}

    def add(self, key: Key, mark: str) -> None:
        """Whole or not at all."""
        rows = self.read() | {key: mark}
        partial = self.path.with_name(f"{WRITTEN}.partial")
        with writable(partial) as file:
            json.dump([[a, s, m] for (a, s), m in sorted(rows.items())], file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.path)


class GradebookWriter:
    """Calls nbgrader's steps for whatever the gradebook lacks; a failure is tried again, later and later.

    Args:
        folder: the course directory of nbgrader.
        url: where this service is reached from its own machine.
        every_s: how often is compared when nobody says that something was recorded.
        rest_s: wait after the first failure and after many.
        deadlines: says what being late costs; a penalty that changes (an extension) is written again.
        cells: what notebooks show; it is waited for a while before a writing, and written after it if it comes later.
    """

    def __init__(
        self, ledger: Ledger, folder: Path, url: str, course: str, *, every_s: float = 20.0,
        rest_s: tuple[float, float] = (3.0, 900.0), bring: Callable[[Path, str, str, dict[str, str]], str] = sync,
        cells: CellRuns | None = None, deadlines: Deadlines | None = None,
    ) -> None:  # fmt: skip
        self.ledger, self.folder, self.course = ledger, folder, course
        self.token = secrets.token_urlsafe(32)
        self._told = {"AUTOGRADER_URL": url, "AUTOGRADER_TOKEN": self.token, "AUTOGRADER_COURSE": course}
        self._written, self._every_s, self._rest_s, self._bring = Written(folder), every_s, rest_s, bring
        self._cells, self._deadlines = cells, deadlines
        if cells is not None:
            cells.on_stored(self.recorded)
        self._failures: dict[Key, tuple[str, int, float]] = {}  # mark, how often, when again
        self._words: dict[Key, str] = {}  # of the last failure
        self._left: dict[str, str] = {}  # why an assignment is not what the course says now
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="gradebook", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout=10)

    def recorded(self, submission: int) -> None:
        """To be called after a grade was committed, so that nobody waits for the next comparison."""
        self._wake.set()

    def owed(self) -> dict[Key, str]:
        """What counts and is not in the gradebook."""
        written, marks = self._written.read(), self.ledger.marks(self.course)
        if self._deadlines is not None:
            projects = {a.slug for a in self._deadlines.catalogue.all() if a.project}
            marks = {k: m for k, m in marks.items() if k[0] not in projects}  # of which nbgrader has no notebook
            late = {k: v for slug in {a for a, _ in marks} for k, v in self._deadlines.every(slug).items()}
            marks = {
                k: f"{m}-{late[_submission(m)].points:g}" if _submission(m) in late else m for k, m in marks.items()
            }
        tokens = {slug: known.token for slug in {a for a, _ in marks} if (known := built.read(self.folder, slug))}
        # an assignment that was changed is written again, for everybody: old points are not of its cells
        marks = {k: f"{m}@{tokens[k[0]]}" if tokens.get(k[0]) else m for k, m in marks.items()}
        run = {int(a["stamp"]) for a in self.ledger.artefacts(self.course, KIND)} if self._cells else set()
        marks = {key: f"{mark}{WITH_CELLS}" if _submission(mark) in run else mark for key, mark in marks.items()}
        return {key: mark for key, mark in marks.items() if written.get(key) != mark}

    def problems(self) -> list[str]:
        """For staff: what could not be written, with the last words of its failure, and what is left as it was."""
        failures = sorted(self._failures.copy().items())
        return list(self._left.values()) + [
            f"{a} of {s}, tries so far: {n}. {self._words.get((a, s), '')}" for (a, s), (_, n, _) in failures
        ]

    def _work(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                owed = self.owed()
            except Exception as error:  # noqa: BLE001  # nobody would start this thread again
                log.error("the gradebook cannot be compared with the ledger: %s", error)
                owed = {}
            self._failures = {key: known for key, known in self._failures.items() if key in owed}
            waits = False
            for key, mark in owed.items():
                if self._stop.is_set():
                    return
                if self._early(mark):
                    waits = True
                elif self._due(key, mark):
                    self._one(key, mark)
            # a grade may come while others are written: each is compared before anybody waits
            again = min((at for _, _, at in self._failures.values()), default=float("inf")) - time.monotonic()
            self._wake.wait(max(0.0, min(LOOK_S if waits else self._every_s, again)))

    def _early(self, mark: str) -> bool:
        """Whether what the cells show may still come; whatever goes wrong with them, the grade is written."""
        try:
            return self._cells is not None and not self._cells.settled(_submission(mark))
        except (AutograderError, OSError, RuntimeError) as error:  # the database is away, or the service ends
            log.warning("cells are not waited for: %s", error)
            return False

    def _due(self, key: Key, mark: str) -> bool:
        failed, _, at = self._failures.get(key, ("", 0, 0.0))
        return failed != mark or time.monotonic() >= at

    def _one(self, key: Key, mark: str) -> None:
        try:
            with quietly():  # nbgrader's steps take seconds of a core: not while a neighbour's rounds are timed
                words = self._bring(self.folder, *key, self._told)
            self._written.add(key, mark)  # of what counted before: what came meanwhile is found again
            self._failures.pop(key, None)
            words, _, left = words.partition("\n")
            self._tell(key[0], left)
            log.info("%s", words)
        except Exception as error:  # noqa: BLE001  # as above: the others' marks are still owed
            failed, often, _ = self._failures.get(key, ("", 0, 0.0))
            often = often + 1 if failed == mark else 1
            first, most = self._rest_s
            rest = min(first * 2.0 ** min(often - 1, 30), most)
            self._words[key] = (str(error).strip().splitlines() or [type(error).__name__])[-1][-_WORDS:]
            self._failures[key] = (mark, often, time.monotonic() + rest)
            log.error("%s of %s is not in the gradebook yet, again in %g s: %s", *key, rest, error)

    def _tell(self, assignment: str, left: str) -> None:
        if left and self._left.get(assignment) != left:
            log.warning("%s", left)
        others = {a: words for a, words in self._left.items() if a != assignment}
        self._left = others | ({assignment: left} if left else {})


def _submission(mark: str) -> int:
    return int(mark.partition(":")[0])


class Inside:
    """An identity that also knows this process's own writer, as a TA."""

    def __init__(self, identity: Identity, token: str) -> None:
        self.identity, self._token = identity, token
        self.cookie = identity.cookie

    async def person(self, token: str) -> Person | None:
        """The writer, or whoever the other identity knows."""
        if hmac.compare_digest(token.encode("utf-8", "replace"), self._token.encode()):
            return Person("gradebook writer", "ta")
        return await self.identity.person(token)

    def router(self) -> APIRouter:
        """The other identity's."""
        return self.identity.router()
