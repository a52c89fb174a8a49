"""An assignment that changed after people handed it in: what nbgrader refuses ("Cannot add or remove cells").

Before `generate_assignment` the gradebook is given the cells that are new, with a row for everybody who handed in, and
loses those that are gone. A cell where a person gave points or wrote a comment is never lost: it stays, worth 0 points.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Comment, Grade, Gradebook, MissingEntry, Notebook

from hub.nbgrader_plugins.source import PREFIX

_KINDS = {  # of cells: what tells them, what is kept for each person, how the gradebook names its list and adds one
    "grade": (utils.is_grade, (Grade,), "grade_cells", "add_grade_cell"),
    "solution": (utils.is_solution, (Comment,), "solution_cells", "add_solution_cell"),
    "task": (utils.is_task, (Grade, Comment), "task_cells", "add_task_cell"),
}


class RenewError(Exception):
    """The change would lose what a person gave; the text says which cell, and what to do."""


def first_criterion(path: Path) -> str:
    """The cell whose extra credit belongs to reviews; empty where there is none."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except FileNotFoundError:
        return ""
    names = (str(c["metadata"].get("nbgrader", {}).get("grade_id", "")) for c in cells if c["cell_type"] == "code")
    return next((name for name in names if name.startswith(PREFIX)), "")


def adapt(gradebook: Gradebook, assignment: str, path: Path, before: str) -> None:
    """Makes an assignment's cells in the gradebook those of its new source; nothing where nobody has handed in.

    Args:
        path: the new source, which gets the cells that have to stay.
        before: the first criterion of the older source.

    Raises:
        RenewError: a cell that a person graded is there still, but no longer graded.
    """
    try:
        known = gradebook.find_notebook(path.stem, assignment)
    except MissingEntry:
        return
    if not known.submissions:  # then nbgrader makes it anew by itself
        return
    notebook = nbformat.read(str(path), as_version=4)
    cells = {c.metadata.nbgrader["grade_id"]: c for c in notebook.cells if utils.is_locked(c) or _kinds(c)}
    place = _Place(gradebook, assignment, known)
    kept = place.drop(cells)
    place.add(cells)
    _move(gradebook, known, before, first_criterion(path))
    gradebook.db.commit()
    if kept:
        notebook.cells += kept
        nbformat.write(notebook, str(path))


@dataclass(frozen=True)
class _Place:
    gradebook: Gradebook
    assignment: str
    notebook: Notebook

    def add(self, cells: dict[str, NotebookNode]) -> None:
        """What is new; `generate_assignment` then fills in points and sources."""
        where = (self.notebook.name, self.assignment)
        for kind, (_, rows, listed, add) in _KINDS.items():
            there = {cell.name for cell in getattr(self.notebook, listed)}
            for name, cell in cells.items():
                if kind not in _kinds(cell) or name in there:
                    continue
                about = {} if kind == "solution" else {"max_score": _points(cell), "cell_type": cell.cell_type}
                made = getattr(self.gradebook, add)(name, *where, **about)
                for sent in self.notebook.submissions:
                    for row in rows:
                        self.gradebook.db.add(row(cell_id=made.id, notebook=sent))
        there = {cell.name for cell in self.notebook.source_cells}
        for name, cell in cells.items():
            if name not in there:
                self.gradebook.add_source_cell(name, *where, cell_type=cell.cell_type, source=cell.source)

    def drop(self, cells: dict[str, NotebookNode]) -> list[NotebookNode]:
        """What is gone, with the points that the judge gave there.

        Returns:
            Cells for the new source, in the place of those that a person worked on.
        """
        query, kept = self.gradebook.db.query, set()
        for kind, (_, rows, listed, _) in _KINDS.items():
            for cell in list(getattr(self.notebook, listed)):
                if cell.name in cells and kind in _kinds(cells[cell.name]):
                    continue
                found = [r for row in rows for r in query(row).filter(row.cell_id == cell.id)]
                if not any(map(_by_hand, found)):
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
        self.gradebook.db.commit()
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


def _move(gradebook: Gradebook, notebook: Notebook, before: str, now: str) -> None:
    """A review's extra credit goes along with being the first criterion, or it would count twice."""
    if not before or before == now:
        return
    for sent in notebook.submissions:
        rows = {
            g.name: g for g in gradebook.db.query(Grade).filter(Grade.notebook_id == sent.id) if g.name in (before, now)
        }
        if len(rows) == 2 and rows[before].extra_credit is not None:
            rows[now].extra_credit = rows[before].extra_credit + (rows[now].extra_credit or 0.0)
            rows[before].extra_credit = None
