"""The assignments of the course, read again when a file changes."""

from __future__ import annotations

import threading
from pathlib import Path

from autograder.api import Assignment, CourseError, Term, all_folders, load, load_term, project_folders, term_file

_FILES = ("assignment.toml", "handin.toml")


class Catalogue:
    """Slug → assignment, final projects last; folders with a leading underscore are templates and stay out.

    Args:
        folder: the course's assignments; None is where `autograder course list` looks.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._read: dict[Path, tuple[int, Assignment]] = {}
        self._term: tuple[int | None, Term | None] = (None, None)
        self._calendar()  # what is damaged later was read before

    def all(self) -> list[Assignment]:
        """In order. One that is broken is left out here and named by `broken`."""
        return [a for a in (self._one(f) for f in self._folders()) if a is not None]

    def broken(self) -> list[str]:
        """What staff must mend, as sentences with file and key."""
        problems = []
        for folder in self._folders():
            try:
                load(folder)
            except CourseError as error:
                problems.append(str(error))
        term, wrong = self._calendar()
        if wrong:
            until = (
                "the calendar as it was before is used"
                if term
                else "nothing is taken in to be graded until it is mended"
            )
            return [*problems, f"{wrong}; {until}"]
        unknown = set(term.slots) - {f.name for f in self._folders()} if term else set()
        return problems + [f"{term_file(self.folder)}: assignments.{slug} has no folder" for slug in sorted(unknown)]

    def get(self, slug: str) -> Assignment | None:
        """One by its name."""
        return next((a for a in self.all() if a.slug == slug), None)

    def project(self) -> Assignment | None:
        """Where final projects are handed in."""
        return next((a for a in self.all() if a.project), None)

    def programme(self) -> Path | None:
        """The file of the showcase's day, where there is one."""
        work = self.project()
        path = work.folder / "showcase.toml" if work else None
        return path if path is not None and path.is_file() else None

    def term(self) -> Term | None:
        """The calendar; while its file is damaged or gone, the one before."""
        return self._calendar()[0]

    def undated(self) -> str:
        """Why nobody can say what is due: there should be a calendar, and none could be read since the start. Else empty."""
        term, problem = self._calendar()
        return problem if term is None else ""

    def _calendar(self) -> tuple[Term | None, str]:
        """The newest that could be read, and what is wrong with the file now."""
        path = term_file(self.folder)
        try:
            stamp = path.stat().st_mtime_ns
        except OSError:
            stamp = None
        with self._lock:
            known, term = self._term
        if stamp is not None and stamp == known:
            return term, ""
        try:
            found = load_term(path)
        except (CourseError, OSError) as error:
            return term, str(error)
        if found is None and term is not None:
            return term, f"{path} is gone"
        with self._lock:
            self._term = (stamp, found)
        return found, ""

    def _folders(self) -> list[Path]:
        found = [*all_folders(self.folder), *project_folders(self.folder)]
        return [f for f in found if not f.name.startswith("_")]

    def _one(self, folder: Path) -> Assignment | None:
        try:
            stamp = max((p.stat().st_mtime_ns for p in (folder / n for n in _FILES) if p.is_file()), default=0)
            with self._lock:
                known = self._read.get(folder)
            if known is not None and known[0] == stamp:
                return known[1]
            assignment = load(folder)
        except (OSError, CourseError):
            return None
        with self._lock:
            self._read[folder] = (stamp, assignment)
        return assignment
