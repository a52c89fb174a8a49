"""A claim about one folder, how often it was kept, and the table that says so."""

from __future__ import annotations

import ast
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from autograder.api import Assignment, release
from autograder.cli.marked import Marked

PROMISES = Marked("promises: written by `autograder course validate`; do not edit", "end of the promises")
_HEAD = (
    "| folder | solutions, gradings with full marks | mutants, gradings that died by their verdict | took | graded on |",
    "| --- | --- | --- | ---: | --- |",
)


@dataclass(frozen=True, slots=True)
class Promise:
    """One claim about a folder, kept or not."""

    what: str
    kept: bool
    why: str = ""
    open: bool = False
    about: str = ""  # solution, mutant
    where: tuple[str, ...] = ()  # criteria that showed it
    good: int = 0
    tries: int = 1


@dataclass(slots=True)
class Tally:
    """What was counted in one folder.

    Attributes:
        programs: solutions and mutants that were graded.
        good: their gradings that ended as promised.
        tries: all their gradings.
    """

    slug: str
    kept: bool = True
    programs: Counter[str] = field(default_factory=Counter)
    good: Counter[str] = field(default_factory=Counter)
    tries: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def count(self, promise: Promise) -> None:
        """One more."""
        self.kept &= promise.kept
        if promise.about and not promise.open:
            self.programs[promise.about] += 1
            self.good[promise.about] += promise.good
            self.tries[promise.about] += promise.tries

    def row(self) -> str:
        """Of the table, in Markdown."""
        counts = (
            f"{self.programs[about]}: {self.good[about]} of {self.tries[about]}" if self.tries[about] else "–"
            for about in ("solution", "mutant")
        )
        return f"| {self.slug} | {' | '.join(counts)} | {self.seconds / 60:.0f} min | {datetime.now(UTC):%Y-%m-%d} |"


def table(tallies: list[Tally], before: str = "") -> str:
    """Markdown.

    Args:
        before: a table as it was; rows of folders that are not in `tallies` stay.
    """
    lines = before.splitlines()[len(_HEAD) :]
    rows = {line.split("|")[1].strip(): line for line in lines if line.count("|") > 1}
    rows |= {t.slug: t.row() for t in tallies}
    return "\n".join([*_HEAD, *(rows[slug] for slug in sorted(rows))])


def nothing_secret(assignment: Assignment) -> Promise:
    """Nothing secret is in the student's copy: no hidden check, no solution's function body, no reference."""
    with tempfile.TemporaryDirectory() as folder:
        files = release(assignment, Path(folder))
        text = "\n".join(p.read_text(encoding="utf-8", errors="replace") for p in files)
    leaks = [name for name in ("BEGIN SOLUTION", "BEGIN HIDDEN") if name in text]
    hidden = assignment.folder / "test_hidden.py"
    if hidden.is_file():
        tree = ast.parse(hidden.read_text(encoding="utf-8"))
        leaks += [
            n.name
            for n in ast.walk(tree)
            if isinstance(n, ast.FunctionDef) and n.name.startswith("test_") and n.name in text
        ]
    for path in (assignment.folder / "solutions").glob("*.py"):
        bodies = [b for b in _bodies(path) if b in text]
        leaks += [f"code of solutions/{path.name}"] if bodies else []
    leaks += [c.id for c in assignment.criteria if not c.public and f'id = "{c.id}"' in text]
    return Promise(
        "the student's copy holds nothing secret", not leaks, f"{len(files)} files" if not leaks else ", ".join(leaks)
    )


def _bodies(path: Path) -> list[str]:
    """Function bodies of at least three lines, as text."""
    source = path.read_text(encoding="utf-8")
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if len(body) >= 3:
                segment = "\n".join(source.splitlines()[body[0].lineno - 1 : body[-1].end_lineno])
                found.append(segment)
    return found
