"""From a path on disk to a `Submission`. Limits apply before anything is unpacked; nothing is ever written to disk.

Accepted: a `.py` file, an `.ipynb` notebook, a folder, or a `.zip` / `.tar` / `.tar.gz` archive, of regular files with
plain relative names. Everything else is refused with a sentence that tells the student what to change.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from autograder.course.notebook import STUB, extract, parse
from autograder.domain.submission import ADAPTER, ENTRY, Submission, digest
from autograder.errors import SubmissionError

MAX_FILES = 200
MAX_NAME = 200
MAX_PART = 255  # bytes of a file's or a folder's name, as file systems have it
MAX_HEADER = 4096  # bytes of a tar entry's extended header: long and foreign names
MAX_NOTEBOOK_KB = 16 * 1024  # notebooks carry outputs; only the exported code counts against the assignment's limit
_KINDS = "hand in a .py file, an .ipynb notebook, a folder, or a .zip or .tar.gz archive"
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError)
_IGNORED = {"__pycache__", ".ipynb_checkpoints", ".git", "__MACOSX", ".DS_Store"}


def receive(path: Path, limit_kb: int, assignment: str = "") -> Submission:
    """Reads what a student handed in.

    Args:
        path: a file or a folder.
        limit_kb: most that all files may hold together, in KiB, after unpacking.
        assignment: its name, and that of its notebook; by what was handed in if empty.

    Raises:
        SubmissionError: refused, with the reason.
    """
    if _is_folder(path):
        files, sha256 = receive_files(path, limit_kb)
        return _assemble(path.name, files, sha256, limit_kb * 1024, {}, assignment)
    limit = limit_kb * 1024
    return receive_bytes(path.name, _read(path, _most(path.name, limit)), limit_kb, assignment)


def receive_files(path: Path, limit_kb: int) -> tuple[dict[str, bytes], str]:
    """The files of a folder or an archive as they are, and their digest; arguments and errors as for `receive`."""
    limit = limit_kb * 1024
    if _is_folder(path):
        files = dict(_bounded(_folder(path), limit))
        return files, digest(files)
    raw = _read(path, _most(path.name, limit))
    return unpack(path.name, raw, limit_kb), hashlib.sha256(raw).hexdigest()


def unwrapped(files: dict[str, bytes], main: str) -> dict[str, bytes]:
    """Without the one folder that everything lies in, where a folder was packed and not what is in it.

    Args:
        main: the file that must be found beneath it; without it nothing changes.
    """
    wrap = _wrap(files)
    inside = {name.removeprefix(wrap): content for name, content in files.items()}
    return inside if main in inside else files


def main_file(names: Iterable[str], stem: str = "") -> str | None:
    """Which of a submission's files is graded: the notebook of the assignment, `solution.py`, the only notebook, or the only module.

    Args:
        names: with folders, as in an archive; one folder that everything lies in does not count.
        stem: of the assignment's notebook; a folder that nbgrader hands in bears its name, and may hold others beside it, or a module
            that was written on the way to it.
    """
    found = list(names)
    wrap = _wrap(found)
    inside = {name.removeprefix(wrap): name for name in found}
    for wanted in (f"{stem}.ipynb" if stem else "", ENTRY):
        if wanted in inside:
            return inside[wanted]
    for suffix in (".ipynb", ".py"):
        chosen = [name for name in found if name.endswith(suffix)]
        if len(chosen) == 1:
            return chosen[0]
    return None


def _wrap(names: Iterable[str]) -> str:
    """The one folder that everything lies in, with its slash, where a folder was packed and not what is in it; or nothing."""
    tops = {name.partition("/")[0] if "/" in name else "" for name in names}
    return f"{tops.pop()}/" if len(tops) == 1 and "" not in tops else ""


def _is_folder(path: Path) -> bool:
    """Of what is there itself: a link is no folder."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError as error:
        raise SubmissionError(f"{path} cannot be read: {error.strerror}") from error


def _most(name: str, limit: int) -> int:
    return MAX_NOTEBOOK_KB * 1024 if name.endswith((".ipynb", ".zip", ".tar", ".gz", ".tgz")) else limit


def receive_bytes(name: str, raw: bytes, limit_kb: int, assignment: str = "") -> Submission:
    """Takes apart what arrived over a network; arguments and errors as for `receive`, `name` decides how it is read."""
    limit = limit_kb * 1024
    path = _named(name)
    whole = hashlib.sha256(raw).hexdigest()  # what `sha256sum` says of the file
    if path.suffix == ".ipynb" and len(raw) <= _most(path.name, limit):
        source, lines = _exported(raw, limit)
        return _assemble(path.name, {ENTRY: source}, whole, limit, lines)
    files = unpack(name, raw, limit_kb)
    return _assemble(path.name, {ENTRY: raw} if path.suffix == ".py" else files, whole, limit, {}, assignment)


def unpack(name: str, raw: bytes, limit_kb: int) -> dict[str, bytes]:
    """The files of what arrived over a network, as they are: one, or those of an archive.

    Raises:
        SubmissionError: refused, with the reason.
    """
    limit, path = limit_kb * 1024, _named(name)
    if len(raw) > _most(path.name, limit):
        raise SubmissionError(f"{path.name} is larger than {_most(path.name, limit) // 1024} KiB")
    if path.suffix in (".ipynb", ".py"):
        return {path.name: raw}
    if path.suffix == ".zip":
        return dict(_bounded(_zip(raw, limit), limit))
    if path.suffix in (".tar", ".gz", ".tgz"):
        return dict(_bounded(_tar(raw, limit), limit))
    raise SubmissionError(f"{path.name}: {_KINDS}")


def _named(name: str) -> PurePosixPath:
    shown = clean(PurePosixPath(name).name)
    if shown is None:
        raise SubmissionError(f"{PurePosixPath(name).name[:MAX_NAME]}: {_KINDS}")
    return PurePosixPath(shown)


def _exported(raw: bytes, limit: int) -> tuple[bytes, dict[int, tuple[int, int]]]:
    source, lines = extract(raw, limit)
    if len(source) > limit:
        raise SubmissionError(f"the exported code has {len(source)} bytes, more than {limit}")
    return source, lines


def _readable(name: str, raw: bytes) -> None:
    """A notebook that is not graded is shown by nbgrader, which has no limits of its own."""
    try:
        parse(raw)
    except SubmissionError as error:
        raise SubmissionError(f"{name}: {error}; leave it out, or mend it") from error


def _assemble(
    name: str, files: dict[str, bytes], whole: str, limit: int, lines: dict[int, tuple[int, int]], assignment: str = ""
) -> Submission:
    chosen = main_file(files, assignment or name.partition(".")[0])
    if chosen is None:
        more = ", or leave all notebooks but one out" if any(n.endswith(".ipynb") for n in files) else ""
        raise SubmissionError(f"there is no {ENTRY} in {name}; name the main file so{more}")
    wrap = _wrap(files)
    files = {other.removeprefix(wrap): content for other, content in files.items()}
    main = chosen.removeprefix(wrap)
    if main.endswith(".ipynb") and ENTRY in files and STUB.encode() in files[main]:
        main = ENTRY  # whoever wrote a module has left the notebook as it was handed out
    content = files.pop(main)
    if main.endswith(".ipynb"):
        content, lines = _exported(content, limit)
    for other in (n for n in files if n.endswith(".ipynb")):
        _readable(other, files[other])
    files[ENTRY] = content
    if b"\0" in files[ENTRY]:
        raise SubmissionError(f"{ENTRY} holds zero bytes; it is not Python source")
    files.pop(ADAPTER, None)
    return Submission(name, files, whole, lines)


def _read(path: Path, limit: int) -> bytes:
    """A regular file, opened without following a link, never more than the limit."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SubmissionError(f"{path.name} cannot be read (links are not followed): {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise SubmissionError(f"{path.name} is not a regular file")
        if found.st_nlink > 1 and found.st_uid != os.getuid():
            raise SubmissionError(f"{path.name} is a hard link to somebody else's file")
        raw = file.read(limit + 1)
    if len(raw) > limit:
        raise SubmissionError(f"{path.name} is larger than {limit // 1024} KiB")
    return raw


def clean(name: str) -> str | None:
    """A plain relative name, or None for what is quietly left out (caches, editors' files).

    Raises:
        SubmissionError: a name that could land outside, or that nobody can read.
    """
    shown = name.encode("ascii", "backslashreplace").decode()[:MAX_NAME]
    too_long = len(name) > MAX_NAME or any(len(part.encode("utf-8", "replace")) > MAX_PART for part in name.split("/"))
    if not name or too_long or not name.isprintable() or "\\" in name or ":" in name:
        raise SubmissionError(f"the file name '{shown}' is empty, too long, or holds odd characters")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise SubmissionError(f"the file name '{shown}' leads outside the submission")
    if set(path.parts) & _IGNORED or path.suffix == ".pyc":
        return None
    return str(path)


def _bounded(found: Iterator[tuple[str, bytes]], limit: int) -> Iterator[tuple[str, bytes]]:
    code = notebooks = 0
    seen: set[str] = set()
    folders: set[str] = set()
    for name, content in found:
        if name.endswith(".ipynb"):  # carries outputs: its exported code is bounded after extraction
            notebooks += len(content)
        else:
            code += len(content)
        if code > limit or notebooks > MAX_NOTEBOOK_KB * 1024:
            raise SubmissionError(f"the files hold more than {limit // 1024} KiB together")
        if name.casefold() in seen:
            raise SubmissionError(f"two files are named '{name}'")
        seen.add(name.casefold())
        folders.update(str(p) for p in PurePosixPath(name.casefold()).parents)
        if seen & folders:
            raise SubmissionError(f"'{name}': a file and a folder have the same name")
        if len(seen) > MAX_FILES:
            raise SubmissionError(f"more than {MAX_FILES} files")
        yield name, content


def _folder(root: Path) -> Iterator[tuple[str, bytes]]:
    count = 0
    for here, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(f for f in folders if f not in _IGNORED)
        for name in (*folders, *sorted(names)):
            count += 1
            if count > 10 * MAX_FILES:
                raise SubmissionError(f"the folder has more than {10 * MAX_FILES} entries")
            path = Path(here) / name
            try:
                relative = clean(path.relative_to(root).as_posix())
            except UnicodeEncodeError as error:
                raise SubmissionError("a file name is not UTF-8") from error
            if path.is_symlink():
                raise SubmissionError(f"'{relative}' is a symbolic link; hand in the file itself")
            if relative is not None and name in names:
                yield relative, _read(path, 64 << 20)


def _zip(raw: bytes, limit: int) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = archive.infolist()
            _sane([(e.filename, e.file_size) for e in entries])
            for entry in entries:
                mode = entry.external_attr >> 16
                name = clean(entry.filename.rstrip("/"))
                if entry.is_dir() or name is None:
                    continue
                if mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode):
                    raise SubmissionError(f"'{name}' in the archive is not a regular file")
                if entry.flag_bits & 1:
                    raise SubmissionError(f"'{name}' in the archive is encrypted")
                with archive.open(entry) as file:
                    yield name, file.read(_most(name, limit) + 1)
    except (*_BROKEN_ZIP, OSError, ValueError, RuntimeError) as error:
        raise SubmissionError(f"the archive cannot be read: {error}") from error


class _Entry(tarfile.TarInfo):
    """One whose extended header is short: Python before 3.11.10 searches it in quadratic time (CVE-2024-6232)."""

    def _proc_pax(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if not 0 <= self.size <= MAX_HEADER:
            raise tarfile.ReadError(f"an extended header of {self.size} bytes, more than {MAX_HEADER}")
        found: tarfile.TarInfo = super()._proc_pax(archive)  # type: ignore[misc]
        return found


def _tar(raw: bytes, limit: int) -> Iterator[tuple[str, bytes]]:
    try:
        if raw[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=io.BytesIO(raw)) as unzipped:
                whole = MAX_NOTEBOOK_KB * 1024 + limit + (1 << 20)
                raw = unzipped.read(whole + 1)
            if len(raw) > whole:
                raise SubmissionError(f"the archive unpacks to more than {whole // 1024} KiB")
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:", tarinfo=_Entry) as archive:
            entries = []
            for entry in archive:
                entries.append((entry.name, entry.size))
                _sane(entries[-1:] if len(entries) <= 10 * MAX_FILES else entries)
                name = clean(entry.name)
                if entry.isdir() or name is None:
                    continue
                if not entry.isreg() or entry.sparse is not None:
                    raise SubmissionError(f"'{name}' in the archive is not a regular file")
                content = archive.extractfile(entry)
                yield name, content.read(_most(name, limit) + 1) if content is not None else b""
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, RecursionError) as error:
        raise SubmissionError(f"the archive cannot be read: {error}") from error


def _sane(entries: list[tuple[str, int]]) -> None:
    if len(entries) > 10 * MAX_FILES:
        raise SubmissionError(f"the archive has more than {10 * MAX_FILES} entries")
    if sum(size for _, size in entries) > 1 << 30:
        raise SubmissionError("the archive unpacks to more than 1 GiB")
