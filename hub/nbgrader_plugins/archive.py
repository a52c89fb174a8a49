"""Folders as tar.gz and back: the same folder gives the same bytes, and nothing but plain files comes out."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

MAX_FILES = 2000
MAX_BYTES = 256 << 20
_LEFT_OUT = {"__pycache__", ".ipynb_checkpoints", ".git", "feedback"}


class ArchiveError(ValueError):
    """An archive or a folder holds what may not travel."""


def regular_files(root: Path) -> list[Path]:
    """Regular files under a folder, sorted; links are not followed, and caches and fetched feedback are left out."""
    found: list[Path] = []
    for here, folders, names in os.walk(root, followlinks=False):
        folders[:] = [f for f in folders if f not in _LEFT_OUT]
        found += [path for path in (Path(here) / name for name in names) if path.is_file() and not path.is_symlink()]
    return sorted(found, key=lambda path: path.relative_to(root).as_posix())


def without_outputs(raw: bytes) -> bytes:
    """A notebook without its outputs, which nbgrader clears before it grades anyway; other bytes come back as they are.

    So running the cells again does not make another submission of it, and plots do not count against its size.
    """
    try:
        notebook = json.loads(raw)
        cells = notebook["cells"]
        for cell in cells:
            if cell["cell_type"] == "code":
                cell["outputs"], cell["execution_count"] = [], None
    except (ValueError, KeyError, TypeError):
        return raw
    return (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def pack(root: Path, files: Iterable[Path] | None = None, *, outputs: bool = True) -> bytes:
    """A folder as tar.gz, deterministic: sorted names, no times, no owners.

    Args:
        files: what to pack; all regular files if None.
        outputs: whether notebooks keep their outputs.

    Raises:
        ArchiveError: too many files, or too many bytes.
    """
    chosen = list(regular_files(root) if files is None else sorted(files))
    if len(chosen) > MAX_FILES:
        raise ArchiveError(f"{root.name} holds more than {MAX_FILES} files")
    whole = io.BytesIO()
    total = 0
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=whole, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in chosen:
            content = path.read_bytes()
            if not outputs and path.suffix == ".ipynb":
                content = without_outputs(content)
            total += len(content)
            if total > MAX_BYTES:
                raise ArchiveError(f"{root.name} holds more than {MAX_BYTES >> 20} MiB")
            entry = tarfile.TarInfo(path.relative_to(root).as_posix())
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return whole.getvalue()


def contents(raw: bytes) -> dict[str, bytes]:
    """What such an archive holds: plain relative name → bytes.

    Raises:
        ArchiveError: it is damaged, too large, or holds a link, a device, or a name that leads outside.
    """
    files: dict[str, bytes] = {}
    total = 0
    try:
        with (
            gzip.GzipFile(fileobj=io.BytesIO(raw)) as unzipped,
            tarfile.open(fileobj=unzipped, mode="r|") as tar,
        ):
            for entry in tar:
                if entry.isdir() or _LEFT_OUT & set(PurePosixPath(entry.name).parts):
                    continue
                name = _plain(entry.name)
                total += entry.size
                if not entry.isreg() or entry.sparse is not None:
                    raise ArchiveError(f"'{name}' in the archive is not a regular file")
                if total > MAX_BYTES or len(files) >= MAX_FILES or name in files:
                    raise ArchiveError("the archive holds too much, or a name twice")
                content = tar.extractfile(entry)
                files[name] = content.read() if content is not None else b""
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise error if isinstance(error, ArchiveError) else ArchiveError(f"the archive is damaged: {error}") from error
    return files


def unpack(raw: bytes, target: Path) -> list[Path]:
    """Writes an archive's files under a folder, as `write` does; errors of `contents` and of `write`."""
    return write(contents(raw), target)


def write(files: Mapping[str, bytes], target: Path) -> list[Path]:
    """Writes files under a folder, which is made; files of the same name are replaced, links never followed.

    Raises:
        ArchiveError: something that is no regular file stands in the way, or no such file can be made.
    """
    written = []
    target.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = target / name
        if any(parent.is_symlink() for parent in (path, *path.parents) if parent.is_relative_to(target)):
            raise ArchiveError(f"'{name}' would be written through a link")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise ArchiveError(f"'{name}' cannot be written: {error.strerror}") from error
        written.append(path)
    return written


def _plain(name: str) -> str:
    path = PurePosixPath(name)
    if not name or not name.isprintable() or path.is_absolute() or ".." in path.parts or "\\" in name:
        shown = name.encode("ascii", "backslashreplace").decode()[:100]
        raise ArchiveError(f"the name '{shown}' in the archive leads outside")
    return path.as_posix()
