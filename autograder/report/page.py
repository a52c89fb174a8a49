"""One self-contained HTML page per grading: no script, no network, every student's byte escaped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from autograder.domain.grade import Grade
from autograder.domain.verdict import Fault
from autograder.report import plots

TEMPLATES = Environment(
    loader=PackageLoader("autograder.report"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write_page(grade: Grade, path: Path, *, staff: bool = False) -> Path:
    """Writes the report of one grading; arguments as for `page`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(grade, staff=staff), encoding="utf-8")
    return path


def page(grade: Grade, *, staff: bool = False) -> str:
    """The report of one grading.

    Args:
        staff: with evidence and details of hidden checks; else what the student may see.
    """
    shown = grade if staff else grade.for_student()
    duels = {
        c.id: [plots.tiers(c.duel), plots.rounds(c.duel), *([plots.scaling(c.duel)] if c.duel.workers > 1 else [])]
        for c in shown.criteria
        if c.duel is not None and c.duel.counted
    }
    return TEMPLATES.get_template("grade.html").render(grade=shown, duels=duels, staff=staff, Fault=Fault)


def write_index(grades: Sequence[tuple[str, Grade, str]], path: Path, title: str) -> Path:
    """A class at a glance: rows of (who, grade, link)."""
    path.write_text(TEMPLATES.get_template("index.html").render(rows=grades, title=title), encoding="utf-8")
    return path
