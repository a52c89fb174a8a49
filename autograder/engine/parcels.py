"""What a node gets to grade: the bytes that were handed in, and which version of the assignment they are graded by."""

from __future__ import annotations

import time
from dataclasses import dataclass

from autograder.course.load import course_folder, find, load
from autograder.course.version import version
from autograder.domain.assignment import Assignment, Kind
from autograder.domain.record import Lease, Purpose
from autograder.engine.task import Outcome, Parcel
from autograder.errors import AutograderError, BlobLost, LedgerError
from autograder.ledger.store import Ledger

_LOOK_S = 5.0


@dataclass(frozen=True, slots=True)
class _Known:
    at: float
    version: str
    work: Assignment


class Parcels:
    """Makes parcels; remembers for a few seconds how the assignments lie here."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, _Known] = {}

    def of(self, held: Lease) -> Parcel | Outcome | None:
        """What a node gets, or why it gets nothing; None when it went back to the queue, for other hardware.

        Raises:
            LedgerError: the database or the storage of submissions is away.
        """
        try:
            content = self._ledger.blobs.get(held.sha256)
        except BlobLost as error:
            return Outcome(None, str(error), hopeless=True)
        try:
            known = self._look(held)
        except LedgerError:
            raise
        except (AutograderError, OSError) as error:  # somebody is changing the folder
            return Outcome(None, f"{held.assignment} cannot be read: {error}", stale=True)
        cores, gpu = known.work.resources.cores, known.work.kind is Kind.GPU
        if not known.work.project and (held.cores, held.gpu or held.without) != (cores, gpu):
            self._ledger.resize(held, cores=cores, gpu=gpu)  # a TA has corrected what it asks for
            return None
        return Parcel(
            held.submission, held.token, held.assignment, known.version, held.name, content,
            held.purpose is Purpose.TRY, held.cores,
        )  # fmt: skip

    def look_again(self, assignment: str) -> None:
        """Somebody has another version of it."""
        self._known.pop(assignment, None)

    def _look(self, held: Lease) -> _Known:
        """The assignment as it lies here now; read again every few seconds, and its version noted when it is new."""
        slug = held.assignment
        known = self._known.get(slug)
        now = time.monotonic()
        if known is None or now - known.at > _LOOK_S:
            work = load(find(slug))
            digest = version(work, course_folder().parent / "reference")
            if known is None or known.version != digest:
                self._ledger.version(held.course, slug, digest)
            known = self._known[slug] = _Known(now, digest, work)
        return known
