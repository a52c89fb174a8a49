"""What a node gets to grade: the bytes that were handed in, and which version of the assignment they are graded by."""

from __future__ import annotations

import time

from autograder.course.load import course_folder, find, load
from autograder.course.version import version
from autograder.domain.record import Lease, Purpose
from autograder.engine.task import Outcome, Parcel
from autograder.errors import AutograderError, BlobLost, LedgerError
from autograder.ledger.store import Ledger

_LOOK_S = 5.0


class Parcels:
    """Makes parcels; remembers for a few seconds how the assignments lie here."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._versions: dict[str, tuple[float, str]] = {}

    def of(self, held: Lease) -> Parcel | Outcome:
        """What a node gets, or why it gets nothing.

        Raises:
            LedgerError: the database or the storage of submissions is away.
        """
        try:
            content = self._ledger.blobs.get(held.sha256)
        except BlobLost as error:
            return Outcome(None, str(error), hopeless=True)
        try:
            digest = self._version(held)
        except LedgerError:
            raise
        except (AutograderError, OSError) as error:  # somebody is changing the folder
            return Outcome(None, f"{held.assignment} cannot be read: {error}", stale=True)
        return Parcel(
            held.submission, held.token, held.assignment, digest, held.name, content, held.purpose is Purpose.TRY,
            held.cores,
        )  # fmt: skip

    def look_again(self, assignment: str) -> None:
        """Somebody has another version of it."""
        self._versions.pop(assignment, None)

    def _version(self, held: Lease) -> str:
        """Of the assignment as it lies here now; looked at again every few seconds, and noted when it is new."""
        slug = held.assignment
        known = self._versions.get(slug)
        now = time.monotonic()
        if known is None or now - known[0] > _LOOK_S:
            work = load(find(slug))
            digest = version(work, course_folder().parent / "reference")
            if known is None or known[1] != digest:
                self._ledger.version(held.course, slug, digest)
            known = self._versions[slug] = (now, digest)
        return known[1]
