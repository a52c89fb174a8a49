"""Content-addressed files: written, fsynced and renamed before anybody speaks of them."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from autograder.errors import BlobLost, LedgerError


def close(path: Path) -> None:
    """Closes a file or folder of ours that everybody may read; one that is open to a group alone is the operator's choice."""
    with suppress(FileNotFoundError):
        found = path.stat()
        if found.st_mode & 0o007 and found.st_uid == os.geteuid():
            path.chmod(found.st_mode & 0o700)


class Blobs:
    """A folder of immutable files named by their SHA-256."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        close(folder)  # what students handed in is nobody's on this machine

    def put(self, content: bytes) -> str:
        """Stores bytes; when this returns they survive a power cut.

        Returns:
            Their SHA-256 in hex.

        Raises:
            LedgerError: the disk refused; nothing is stored.
        """
        digest = hashlib.sha256(content).hexdigest()
        path = self.path(digest)
        try:
            if path.is_file() and path.read_bytes() == content:  # damaged ones are written anew
                return digest
            if not path.parent.is_dir():
                path.parent.mkdir(parents=True, exist_ok=True)
                _sync(path.parent.parent)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            _sync(path.parent)
        except OSError as error:
            raise LedgerError(f"the submission could not be stored: {error.strerror or error}") from error
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes, proved to be those that were stored.

        Raises:
            BlobLost: missing or changed on disk.
            LedgerError: the storage is away, or does not answer now.
        """
        try:
            content = self.path(digest).read_bytes()
        except FileNotFoundError as error:
            if self._away():
                raise LedgerError(f"the storage of submissions, {self.folder}, is away or empty: mount it") from error
            raise BlobLost(f"blob {digest} is missing; restore it from a backup") from error
        except OSError as error:
            raise LedgerError(f"blob {digest} cannot be read now: {error.strerror or error}") from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise BlobLost(f"blob {digest} has changed on disk; restore it from a backup")
        return content

    def _away(self) -> bool:
        """Whether nothing at all is here: where shared storage is not mounted there is no folder, or an empty one."""
        try:
            return next(self.folder.iterdir(), None) is None
        except OSError:
            return True

    def path(self, digest: str) -> Path:
        """Where a blob lies."""
        return self.folder / digest[:2] / digest

    def __iter__(self) -> Iterator[str]:
        """All digests, in order."""
        for path in sorted(self.folder.glob("??/*")):
            if not path.name.startswith("."):
                yield path.name


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
