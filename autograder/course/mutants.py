"""Wrong, slow and cheating submissions of an assignment, each with the verdict that it must die by.

A mutant is a file of its own in `mutants/`, whose first line is `# dies by: VERDICT` (and whose second may be
`# needs: gpu`, where no simulator can show it); or an entry of `mutants.toml`: a
solution (or a mutant that is merely slow) with a few edits, so that what is wrong with it can be read in two lines and a better solution betters its
mutants, too.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.domain.assignment import Assignment
from autograder.domain.submission import ENTRY, Submission, digest
from autograder.domain.verdict import Verdict
from autograder.errors import CourseError

FILE = "mutants.toml"
_DIES = re.compile(r"#\s*dies by:\s*([a-z-]+)")
_NEEDS = "# needs: gpu"  # among the first two lines
_KEYS = {"name", "dies_by", "of", "why", "edits", "needs_gpu"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One of them, as a program.

    Attributes:
        why: what is wrong with it.
        needs_gpu: only a GPU can show it.
    """

    name: str
    dies_by: Verdict
    source: str
    why: str = ""
    needs_gpu: bool = False

    @property
    def submission(self) -> Submission:
        """What a student would have handed in."""
        files = {ENTRY: self.source.encode()}
        return Submission(f"{self.name}.py", files, digest(files))


def needs_gpu(source: str) -> bool:
    """Whether a program of the course says that it can be run beside a GPU alone."""
    return _NEEDS in source.split("\n", 2)[:2]


def mutants(assignment: Assignment) -> list[Mutant]:
    """All of them, by name.

    Raises:
        CourseError: with the file and what is wrong in it.
    """
    found = [_of_file(path) for path in (assignment.folder / "mutants").glob("*.py")]
    path = assignment.folder / FILE
    if path.is_file():
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CourseError(str(path), f"is not TOML: {error}") from error
        if set(table) - {"mutant"} or not isinstance(table.get("mutant", []), list):
            raise CourseError(str(path), "holds [[mutant]] tables and nothing else")
        found += [_of_edits(path, row) for row in table.get("mutant", [])]
    names = [m.name for m in found]
    if twice := {n for n in names if names.count(n) > 1}:
        raise CourseError(str(path), f"{', '.join(sorted(twice))}: a mutant's name is used twice")
    return sorted(found, key=lambda m: m.name)


def _of_file(path: Path) -> Mutant:
    source = path.read_text(encoding="utf-8")
    match = _DIES.match(source.partition("\n")[0])
    if match is None or match[1] not in list(Verdict):
        raise CourseError(str(path), "line 1 must read '# dies by: VERDICT' with a known verdict")
    return Mutant(path.stem, Verdict(match[1]), source, needs_gpu=needs_gpu(source))


def _of_edits(path: Path, row: Any) -> Mutant:
    def refuse(key: str, problem: str) -> CourseError:
        return CourseError(f"{path}: {row.get('name', '?')}: {key}", problem)

    if not isinstance(row, dict):
        raise CourseError(str(path), "mutant must be [[mutant]] tables")
    if unknown := set(row) - _KEYS:
        raise refuse(min(unknown), f"unknown key; known here: {', '.join(sorted(_KEYS))}")
    for key in ("name", "dies_by", "of", "why"):
        if not isinstance(row.get(key), str) or not row[key]:
            raise refuse(key, "is missing, or is no text")
    if row["dies_by"] not in list(Verdict):
        raise refuse("dies_by", f"{row['dies_by']!r} is no verdict; there are {', '.join(Verdict)}")
    places = [path.parent / folder / row["of"] for folder in ("solutions", "mutants")]
    solution = next((p for p in places if p.is_file()), None)
    if solution is None:
        raise refuse("of", f"there is no {places[0]}, nor one in mutants/")
    source = solution.read_text(encoding="utf-8")
    edits = row.get("edits")
    if not isinstance(edits, list) or not edits:
        raise refuse("edits", 'is missing: write [["old text", "new text"], …]')
    for edit in edits:
        if not (isinstance(edit, list) and len(edit) == 2 and all(isinstance(e, str) for e in edit)):
            raise refuse("edits", f"{edit!r} is not a pair of texts")
        old, new = edit
        if source.count(old) != 1:
            raise refuse("edits", f"{old!r} occurs {source.count(old)} times in {solution.name}, not once")
        source = source.replace(old, new)
    return Mutant(
        row["name"], Verdict(row["dies_by"]), source, row["why"], bool(row.get("needs_gpu")) or needs_gpu(source)
    )
