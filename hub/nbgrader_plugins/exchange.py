"""nbgrader's exchange over HTTP, first half: what all eight classes share, and how assignments go out and come in.

Nothing is shared on disk: what nbgrader keeps in a world-writable folder, the service keeps in its ledger, and it
decides by the caller's token who may do what. Flags, log lines and refusals are those of nbgrader's own exchange.
"""

from __future__ import annotations

import difflib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from jupyter_core.paths import jupyter_data_dir
from nbgrader.exchange.abc import Exchange
from nbgrader.exchange.abc import ExchangeFetchAssignment as FetchAssignmentAPI
from nbgrader.exchange.abc import ExchangeReleaseAssignment as ReleaseAssignmentAPI
from nbgrader.utils import get_username, ignore_patterns
from traitlets import Bool, Unicode, default

from hub.nbgrader_plugins.archive import ArchiveError, pack, regular_files, unpack
from hub.nbgrader_plugins.client import Service, ServiceError

connect: Callable[[], Service] = Service  # the one seam: tests put their own here


class HttpExchange(Exchange):
    """What the eight classes share."""

    cache = Unicode(
        "", help="Where submissions of this server are kept. Default: $JUPYTER_DATA_DIR/nbgrader_cache"
    ).tag(config=True)
    path_includes_course = Bool(False, help="Whether assignments lie in a folder named after the course.").tag(
        config=True
    )

    @default("cache")
    def _cache_default(self) -> str:
        return str(Path(jupyter_data_dir()) / "nbgrader_cache")

    def ask(self, method: str, *path: str, content: bytes | None = None, **query: str) -> Any:
        """One request to the service; its refusal becomes nbgrader's `ExchangeError`."""
        try:
            with connect() as service:
                answer = service.send(method, *path, content=content, **query)
        except ServiceError as error:
            self.refuse(str(error))
        kind = answer.headers.get("content-type", "")
        return answer.json() if answer.content and kind.startswith("application/json") else answer.content

    def refuse(self, words: str) -> NoReturn:
        """nbgrader's way to fail, with a type that says so."""
        self.fail(words)
        raise AssertionError(words)  # `fail` always raises

    def need_course(self) -> str:
        """The course's id, or nbgrader's sentence."""
        if self.coursedir.course_id == "":
            self.refuse("No course id specified. Re-run with --course flag.")
        return str(self.coursedir.course_id)

    def need_access(self) -> None:
        """Courses that a student is not in are refused here already; the service decides again."""
        if self.authenticator is not None and not self.authenticator.has_access(
            self.coursedir.student_id, self.coursedir.course_id
        ):
            self.refuse("You do not have access to this course.")

    def one_student(self) -> str:
        """Whose server this is, or who was named on the command line."""
        named = str(self.coursedir.student_id)
        if named in ("", "*"):
            return str(get_username())
        if "*" in named or "+" in named:
            self.refuse(f"The student ID should contain no '*' nor '+'; got {named}")
        return named

    def one_assignment(self) -> str:
        """The assignment's id, or nothing for all of them."""
        named = str(self.coursedir.assignment_id)
        return "" if named == "*" else named

    def local(self, course: str, assignment: str) -> Path:
        """Where a student's copy of an assignment lies."""
        inner = Path(course) / assignment if self.path_includes_course else Path(assignment)
        return (Path(self.assignment_dir) / inner).absolute()

    def not_found(self, wanted: str, known: list[str]) -> NoReturn:
        """nbgrader's sentence, with its suggestion."""
        close = difflib.get_close_matches(wanted, known, n=1, cutoff=0.0)
        if close:
            self.log.error("Did you mean: %s", close[0])
        self.refuse(f"Assignment not found: {wanted}")

    def chosen_files(self, source: Path, target: Path) -> None:
        """Copies what nbgrader's settings allow: `ignore`, `include`, `max_file_size`, `max_dir_size`.

        Raises:
            RuntimeError: the folder is larger than `max_dir_size`, as nbgrader raises it.
        """
        size = sum(path.stat().st_size for path in regular_files(source))
        most = 1000 * self.coursedir.max_dir_size
        if size > most:
            self.log.error("Directory size is too big")
            raise RuntimeError(f"Directory size is too big. Size is {size}, maximum size is {most}")
        rules = ignore_patterns(
            exclude=self.coursedir.ignore,
            include=self.coursedir.include,
            max_file_size=self.coursedir.max_file_size,
            log=self.log,
        )

        def leave(folder: str, names: list[str]) -> list[str]:
            links = [name for name in names if (Path(folder) / name).is_symlink()]
            return [*rules(folder, names), *links]

        shutil.copytree(source, target, ignore=leave)

    def packed(self, source: Path, *, outputs: bool = True) -> bytes:
        """A folder as nbgrader would copy it, packed."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / source.name
            self.chosen_files(source, copy)
            try:
                return pack(copy, outputs=outputs)
            except ArchiveError as error:
                self.refuse(str(error))

    def unpacked(self, raw: bytes, target: Path) -> list[Path]:
        """An archive of the service, as files."""
        try:
            return unpack(raw, target)
        except ArchiveError as error:
            self.refuse(str(error))

    def released(self, course: str) -> dict[str, dict[str, Any]]:
        """What the course has released, by assignment."""
        return {row["assignment"]: row for row in self.ask("GET", "exchange", course, "released")}


def notebook_ids(row: dict[str, Any]) -> list[str]:
    """Names of a released assignment's notebooks, without the suffix."""
    return sorted(name.removesuffix(".ipynb") for name in row.get("notebooks", ()))


class ReleaseAssignment(HttpExchange, ReleaseAssignmentAPI):
    """`nbgrader release_assignment`: from `release/` to the service."""

    def init_src(self) -> None:
        """The release folder, and only that: never `source/`."""
        place = self.coursedir.format_path
        wanted = self.coursedir.assignment_id
        self.source = Path(place(self.coursedir.release_directory, ".", wanted))
        if self.source.is_dir():
            return
        source = place(self.coursedir.source_directory, ".", wanted)
        if Path(source).is_dir():
            self.refuse(
                f"Assignment found in '{source}' but not '{self.source}', run `nbgrader generate_assignment` first."
            )
        self.not_found(wanted, [p.name for p in self.source.parent.glob("*")])

    def init_dest(self) -> None:
        """The course must be named."""
        self.course = self.need_course()

    def copy_files(self) -> None:
        """Sends the archive; what is there already is replaced only with --force."""
        wanted = self.coursedir.assignment_id
        if wanted in self.released(self.course):
            if not self.force:
                self.refuse(f"Destination already exists, add --force to overwrite: {self.course} {wanted}")
            self.log.info("Overwriting files: %s %s", self.course, wanted)
        self.log.info("Source: %s", self.source)
        self.ask("PUT", "exchange", self.course, "released", wanted, content=self.packed(self.source))
        self.log.info("Released as: %s %s", self.course, wanted)


class FetchAssignment(HttpExchange, FetchAssignmentAPI):
    """`nbgrader fetch_assignment`, and the button of the Assignment List."""

    def init_src(self) -> None:
        """The assignment must be released, and the course ours."""
        self.course = self.need_course()
        self.need_access()
        known = self.released(self.course)
        if self.coursedir.assignment_id not in known:
            self.not_found(self.coursedir.assignment_id, sorted(known))

    def init_dest(self) -> None:
        """Work that is there is never overwritten."""
        wanted = self.coursedir.assignment_id
        self.target = self.local(self.course, wanted)
        if self.target.is_dir() and not self.replace_missing_files:
            shown = f"{self.course}/{wanted}" if self.path_includes_course else wanted
            self.refuse(f"You already have a copy of the assignment in this directory: {shown}")

    def copy_files(self) -> None:
        """Writes the files; with --replace, only those that are missing."""
        raw = self.ask("GET", "exchange", self.course, "released", self.coursedir.assignment_id)
        with tempfile.TemporaryDirectory() as folder:
            fresh = Path(folder) / "fresh"
            fresh.mkdir()
            self.unpacked(raw, fresh)
            skip = shutil.ignore_patterns(*self.coursedir.ignore)
            if self.target.is_dir():
                self.replace(fresh, skip)
            else:
                shutil.copytree(fresh, self.target, ignore=skip)
        self.log.info("Fetched as: %s %s", self.course, self.coursedir.assignment_id)

    def replace(self, fresh: Path, skip: Callable[[Any, list[str]], set[str]]) -> None:
        """Only what is missing."""
        for path in regular_files(fresh):
            name = path.relative_to(fresh)
            mine = self.target / name
            if skip(None, list(name.parts)) or mine.exists() or mine.is_symlink():
                continue
            self.log.warning("Replacing missing file '%s'", name)
            mine.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, mine)
