"""An assignment that changed after people handed it in: what nbgrader refuses ("Cannot add or remove cells").

Before `generate_assignment` the gradebook is given the cells that are new, with a row for everybody who handed in, and
loses those that are gone. A cell where a person gave points or wrote a comment is never lost: it stays, worth 0 points.
All of it is one transaction, and what is missing is found by comparing, so that a second try finishes what a first began.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import (
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    Notebook,
    SolutionCell,
    SourceCell,
    TaskCell,
)

from hub.nbgrader_plugins import built
from hub.nbgrader_plugins.source import PREFIX

_KINDS = {  # of cells: what tells them, what is kept for each person, how the gradebook names its list and one of it
    "grade": (utils.is_grade, (Grade,), "grade_cells", GradeCell),
    "solution": (utils.is_solution, (Comment,), "solution_cells", SolutionCell),
    "task": (utils.is_task, (Grade, Comment), "task_cells", TaskCell),
}


class RenewError(Exception):
    """The change would lose what a person gave; the text says which cell, and what to do."""


def first_criterion(path: Path) -> str:
    """The cell whose extra credit belongs to reviews where nothing else is recorded; empty where there is none."""
    return next((n for n, worth in built.points(path).items() if n.startswith(PREFIX) and worth is not None), "")


def adapt(gradebook: Gradebook, assignment: str, path: Path, place: str) -> str:
    """Makes an assignment's cells in the gradebook those of its new source; nothing where nobody has handed in.

    Args:
        path: the new source, which gets the cells that have to stay.
        place: the criterion whose extra credit belongs to reviews.

    Returns:
        That criterion from now on: the same one, for as long as it is there.

    Raises:
        RenewError: a cell that a person graded is there still, but no longer graded.
    """
    try:
        known = gradebook.find_notebook(path.stem, assignment)
    except MissingEntry:
        return first_criterion(path)
    if gradebook.engine.dialect.name == "sqlite":  # which else locks no earlier than it writes
        gradebook.db.rollback()
        gradebook.db.connection().exec_driver_sql("BEGIN IMMEDIATE")
    if not known.submissions:  # then nbgrader makes it anew by itself
        return first_criterion(path)
    notebook = nbformat.read(str(path), as_version=4)
    cells = {c.metadata.nbgrader["grade_id"]: c for c in notebook.cells if utils.is_locked(c) or _kinds(c)}
    now = _Place(gradebook, assignment, known)
    criteria = [name for name, cell in cells.items() if name.startswith(PREFIX) and utils.is_grade(cell)]
    credited = now.credited()
    free = [name for name in criteria if name not in credited]  # where a review overwrites nobody's extra credit
    kept = now.drop(cells, "" if free else place)
    now.add(cells)
    if kept:
        notebook.cells += kept
        nbformat.write(notebook, str(path))
    gradebook.db.commit()
    stays = place in {*criteria, *(cell.metadata.nbgrader["grade_id"] for cell in kept)}
    return place if stays else next(iter([*free, *criteria]), "")


@dataclass(frozen=True)
class _Place:
    gradebook: Gradebook
    assignment: str
    notebook: Notebook

    def add(self, cells: dict[str, NotebookNode]) -> None:
        """What is new, and rows that are missing; `generate_assignment` then fills in points and sources."""
        database = self.gradebook.db
        for kind, (_, rows, listed, make) in _KINDS.items():
            there = {cell.name for cell in getattr(self.notebook, listed)}
            for name, cell in cells.items():
                if kind in _kinds(cell) and name not in there:
                    about = {} if kind == "solution" else {"max_score": _points(cell), "cell_type": cell.cell_type}
                    database.add(make(name=name, notebook=self.notebook, **about))
            database.flush()
            for made in getattr(self.notebook, listed):
                for row in rows:
                    has = {r.notebook_id for r in database.query(row).filter(row.cell_id == made.id)}
                    database.add_all(
                        row(cell_id=made.id, notebook=sent) for sent in self.notebook.submissions if sent.id not in has
                    )
        there = {cell.name for cell in self.notebook.source_cells}
        for name, cell in cells.items():
            if name not in there:
                about = {"cell_type": cell.cell_type, "locked": utils.is_locked(cell), "source": cell.source}
                database.add(SourceCell(name=name, notebook=self.notebook, **about))

    def credited(self) -> set[str]:
        """Cells that hold somebody's extra credit."""
        ids = [sent.id for sent in self.notebook.submissions]
        found = self.gradebook.db.query(Grade).filter(Grade.notebook_id.in_(ids), Grade.extra_credit.is_not(None))
        return {grade.name for grade in found}

    def drop(self, cells: dict[str, NotebookNode], needed: str) -> list[NotebookNode]:
        """What is gone, with the points that the judge gave there.

        Args:
            needed: a cell that stays, gone or not.

        Returns:
            Cells for the new source, in the place of those that a person worked on.
        """
        query, kept = self.gradebook.db.query, set()
        for kind, (_, rows, listed, _) in _KINDS.items():
            for cell in list(getattr(self.notebook, listed)):
                if cell.name in cells and kind in _kinds(cells[cell.name]):
                    continue
                found = [r for row in rows for r in query(row).filter(row.cell_id == cell.id)]
                if not any(map(_by_hand, found)) and (cell.name != needed or cell.name in cells):
                    continue
                if cell.name in cells:
                    raise RenewError(f"a person graded the cell {cell.name} of {self.assignment}, which is no longer "
                                     f"a {kind} cell: give the new one another name")  # fmt: skip
                kept.add(cell.name)
        made = [self._retired(source) for source in self.notebook.source_cells if source.name in kept]
        for kind, (_, rows, listed, _) in _KINDS.items():
            for cell in list(getattr(self.notebook, listed)):
                if cell.name not in kept and not (cell.name in cells and kind in _kinds(cells[cell.name])):
                    for row in rows:
                        query(row).filter(row.cell_id == cell.id).delete()
                    self.gradebook.db.delete(cell)
        for source in list(self.notebook.source_cells):
            if source.name not in kept and source.name not in cells:
                self.gradebook.db.delete(source)
        self.gradebook.db.flush()
        self.gradebook.db.expire_all()
        return made

    def _retired(self, source: Any) -> NotebookNode:
        held = {
            k: source.name in {c.name for c in getattr(self.notebook, listed)} for k, (*_, listed, _) in _KINDS.items()
        }
        make = nbformat.v4.new_code_cell if source.cell_type == "code" else nbformat.v4.new_markdown_cell
        cell = make(source.source, id=source.name[:64])
        about = {"grade_id": source.name, "locked": bool(source.locked), "schema_version": 3, **held}
        cell.metadata["nbgrader"] = about | ({"points": 0.0} if held["grade"] or held["task"] else {})
        return cell


def _kinds(cell: NotebookNode) -> set[str]:
    return {kind for kind, (tells, *_) in _KINDS.items() if tells(cell)}


def _points(cell: NotebookNode) -> float:
    return float(cell.metadata.nbgrader["points"])


def _by_hand(row: Grade | Comment) -> bool:
    if isinstance(row, Comment):
        return row.manual_comment is not None
    return row.manual_score is not None or row.extra_credit is not None
