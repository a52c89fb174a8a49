"""One self-contained HTML page per grading: no script, no network, every student's byte escaped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from autograder.domain.grade import CriterionResult, Grade
from autograder.domain.measurement import DuelOutcome
from autograder.domain.project import CLAIM, Measured
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


BASELINE = "your baseline"  # what a team's program is timed against
KNOWN = (
    "Before a tier is lost, it is tried again beside a program that is known to deserve it, on the same inputs. Where that "
    "program does not reach it either, the machine is to blame and nobody loses it."
)


def page(grade: Grade, *, staff: bool = False) -> str:
    """The report of one grading.

    Args:
        staff: with evidence and details of hidden checks; else what the student may see.
    """
    shown = grade if staff else grade.for_student()
    timed = [(c, c.duel) for c in shown.criteria if c.duel is not None and c.duel.counted]
    theirs = {c.id: BASELINE if CLAIM in c.evidence else d.against for c, d in timed}
    duels = {c.id: _figures(c, d, theirs[c.id]) for c, d in timed}
    return TEMPLATES.get_template("grade.html").render(grade=shown, duels=duels, theirs=theirs, staff=staff)


def _figures(criterion: CriterionResult, duel: DuelOutcome, against: str) -> list[tuple[str, str]]:
    """Caption and plot."""
    if CLAIM in criterion.evidence:
        claim = Measured.from_json(criterion.evidence[CLAIM])
        first = ("Grey: what was claimed, ± 15 %. The line is what was measured.", plots.claims([claim]))
    else:
        first = ("Where the speedup lies, and what each tier asks.", plots.tiers(duel))
    band = "Every round. The band is the interval after that many rounds; it is valid at every moment, so stopping early is fair."
    figures = [first, (band, plots.rounds(duel, against))]
    if duel.control is not None and duel.control.counted:
        figures.append((KNOWN, plots.control(duel.control, against)))
    if duel.workers > 1:
        figures.append(("Scaling over workers.", plots.scaling(duel)))
    return figures


def write_index(grades: Sequence[tuple[str, Grade, str]], path: Path, title: str) -> Path:
    """A class at a glance: rows of (who, grade, link)."""
    path.write_text(
        TEMPLATES.get_template("index.html").render(rows=grades, title=title, Fault=Fault), encoding="utf-8"
    )
    return path
