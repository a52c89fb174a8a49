"""`nbgrader export --exporter=hub.nbgrader_plugins.marks.TermExport`: the term's marks, a row per student."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from nbgrader.api import Assignment, Gradebook, MissingEntry
from nbgrader.plugins import ExportPlugin

from autograder.api import Term, load_term, term_file
from hub.spreadsheet import cell


class TermExport(ExportPlugin):
    """Weights are those of `course.toml`; without one all assignments weigh the same."""

    def export(self, gradebook: Gradebook) -> None:
        """Writes `marks.csv`, or where `--to` says.

        An assignment's per cent are its points, written answers and what a TA decided included, less what being late
        cost, of all its points; what was not handed in counts 0. `assignments` is their weighted mean in per cent, and
        `of the course` what that adds to the course's mark, in points of a hundred.
        """
        folder = os.environ.get("AUTOGRADER_COURSE_FOLDER", "")
        term = load_term(term_file(Path(folder) if folder else None))
        if term is None:  # a student's or TA's own server has no course folder
            self.log.warning("No course.toml here (AUTOGRADER_TERM names one): all assignments weigh the same")
        wanted = {str(a) for a in self.assignment}
        chosen = [a for a in gradebook.assignments if not wanted or a.name in wanted]
        students = {str(s) for s in self.student}
        target = Path(self.to or "marks.csv")
        self.log.info("Exporting marks to %s", target)
        with target.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["student", *(f"{a.name} (%)" for a in chosen), "assignments (%)", "of the course"])
            for student in gradebook.students:
                if students and student.id not in students:
                    continue
                row = [_per_cent(gradebook, a, student.id) for a in chosen]
                weights = [_weight(term, a.name) for a in chosen]
                mean = sum(w * x for w, x in zip(weights, row, strict=True)) / (sum(weights) or 1.0)
                share = term.shares.get("assignments", 0.0) if term else 1.0
                writer.writerow([cell(student.id), *(f"{x:.2f}" for x in row), f"{mean:.2f}", f"{mean * share:.2f}"])


def _weight(term: Term | None, name: str) -> float:
    if term is None:
        return 1.0
    return term.slots[name].weight if name in term.slots else 0.0


def _per_cent(gradebook: Gradebook, assignment: Assignment, student: str) -> float:
    try:
        found = gradebook.find_submission(assignment.name, student)
    except MissingEntry:
        return 0.0
    return float(100 * max(found.score - found.late_submission_penalty, 0.0) / (assignment.max_score or 1.0))
