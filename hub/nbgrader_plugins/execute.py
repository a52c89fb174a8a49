"""What `nbgrader autograde` does instead of running the notebook: asks the service, and writes the verdict into the cells.

nbgrader reads a test cell's points from its outputs: an `execute_result` whose text is a number is partial credit.
Everything else of Autograde stays as it is: its sanitising before, its gradebook after.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    IgnorePattern,
    LimitOutput,
    NbGraderPreprocessor,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)
from nbgrader.utils import parse_utc
from traitlets import Float

from autograder.api import Grade, page
from hub.nbgrader_plugins import built, cells, disarm
from hub.nbgrader_plugins.client import FINAL, Service, course
from hub.nbgrader_plugins.renew import first_criterion
from hub.nbgrader_plugins.source import PREFIX, REPORT, REVIEW

connect: Callable[[], Service] = Service  # the one seam: tests put their own here
_UNDECIDED = "autograder_undecided"
_LATE = "autograder_late_points"
# title, verdict and words of a criterion that came after the submission was graded
_UNKNOWN = ("Criterion", "not judged", "This submission was graded before the criterion was there.")


class NotGraded(Exception):
    """The service has no grade for this submission (yet); nothing was written."""


def submissions(service: Service, course_id: str, assignment: str, student: str) -> list[dict[str, Any]]:
    """The service's rows of one student's assignment, oldest first."""
    rows: list[dict[str, Any]] = service.json(
        "GET", "exchange", course_id, "submitted", assignment=assignment, student=student
    )
    return sorted(rows, key=lambda row: parse_utc(row["stamp"]))


def find_submission(service: Service, course_id: str, assignment: str, student: str, stamp: str) -> dict[str, Any]:
    """The service's row for what lies in `submitted/`, found by the time of its receipt.

    Raises:
        NotGraded: it did not come through the exchange.
    """
    wanted = parse_utc(stamp)
    for row in submissions(service, course_id, assignment, student):
        if parse_utc(row["stamp"]) == wanted:
            return row
    raise NotGraded(
        f"{student}'s {assignment} of {stamp} is not on record; submit it to the service, then collect it again"
    )


class JudgeExecute(NbGraderPreprocessor):
    """Stands where nbgrader's `Execute` stood; no student's code runs here, the service has it run in a sandbox."""

    wait_s = Float(600.0, help="How long to wait for a submission that is still in the queue.").tag(config=True)
    cells_s = Float(60.0, help="How long to wait for what the cells show; the points do not wait for it.").tag(
        config=True
    )

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """The notebook with points in its criterion cells and the report before them.

        Raises:
            NotGraded: there is no grade, with the reason.
        """
        about = resources["nbgrader"]
        stamp = Path(resources["metadata"]["path"]) / "timestamp.txt"
        if not stamp.is_file():
            raise NotGraded(f"{stamp} is missing; collect the submission through the exchange")
        course_id = self.config.CourseDirectory.get("course_id") or course()
        with connect() as service:
            row = find_submission(
                service, course_id, about["assignment"], about["student"], stamp.read_text(encoding="utf-8").strip()
            )
            entry = service.wait(row["submission"], self.wait_s)
            if entry["state"] not in FINAL:
                raise NotGraded(f"submission {row['submission']} is {entry['state']}; try again later")
            grade = service.json("GET", "exchange", course_id, "grades", str(row["submission"]))
            shown = cells.fetch(service, course_id, row["submission"], self.cells_s) if grade else ""
        reviews = entry.get("reviews") or []
        if not grade:
            raise NotGraded(f"submission {row['submission']} is {entry['state']} and has no grade")
        disarm.notebook(nb)
        cells.show(nb, shown)
        resources[_LATE] = float(row.get("late_points", 0.0))
        root = Path(resources["metadata"]["path"]).parents[2]
        made = built.read(root, about["assignment"])
        source = root / "source" / about["assignment"] / f"{about['notebook']}.ipynb"
        about["first"] = (made.place if made else "") or first_criterion(source)
        resources[_UNDECIDED] = fill(nb, Grade.from_json(grade), about, reviews[-1] if reviews else None)
        return nb, resources


def fill(nb: NotebookNode, grade: Grade, about: dict[str, str], review: dict[str, Any] | None = None) -> list[str]:
    """Writes a grade into a notebook: outputs of criterion cells, and a cell with the report, as the student may see it.

    A review's points stand in for the sum of the criteria, as nbgrader adds them up: what they differ by becomes the extra credit of one
    criterion (the first of the day when it was built), so that every total of nbgrader is right and every criterion still shows what the judge gave.

    Args:
        review: `by`, `points` and `reason` of the newest one.

    Returns:
        Cells that a person has to decide, because the fault is ours, or because the grade is older than the criterion.
    """
    shown = grade.for_student()
    cells = {c.metadata["nbgrader"]["grade_id"]: c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id")}
    first = next((i for i, c in enumerate(nb.cells) if c in cells.values() and _is_criterion(c)), len(nb.cells))
    undecided, total = [], 0.0
    with Gradebook(about["db_url"]) as gradebook:
        known = {
            c.name: float(c.max_score)
            for c in gradebook.find_notebook(about["notebook"], about["assignment"]).grade_cells
            if c.name.startswith(PREFIX)
        }
        judged = {PREFIX + c.id: c for c in shown.criteria}
        for name in sorted(known, key=lambda n: list(judged).index(n) if n in judged else len(judged)):
            most = known[name]
            if name not in cells:
                cells[name] = _restored(gradebook, name, about)
                nb.cells.append(cells[name])
            cell, criterion = cells[name], judged.get(name)
            # whatever a student made of the metadata: this is a locked test cell
            cell.metadata["nbgrader"].update(grade=True, solution=False, locked=True, task=False, points=most)
            points = min(max(float(criterion.points), 0.0), most) if criterion else 0.0
            decided = _decided(gradebook, name, about)  # a person's word counts in nbgrader instead of ours
            total += points if decided is None else decided
            title, verdict, words = (
                (criterion.title, str(criterion.verdict), criterion.sentence) if criterion else _UNKNOWN
            )
            tags = f"<p><b>{html.escape(title)}</b>: {html.escape(verdict)}<br>{html.escape(words)}</p>"
            plain = f"{title}: {verdict}. {words} {points:g} of {most:g} points."
            # without a number nbgrader takes an empty cell for a test that passed
            cell.outputs = [
                new_output("display_data", data={"text/plain": plain, "text/html": tags}),
                new_output("execute_result", data={"text/plain": repr(points)}, execution_count=1),
            ]
            cell.execution_count = 1
            if str(criterion.verdict.fault) == "ours" if criterion else most > 0:
                undecided.append(name)
        place = about.get("first") if about.get("first") in known else next((n for n in judged if n in known), "")
        if place:
            where = (place, about["notebook"], about["assignment"], about["student"])
            # None, not 0: what an earlier submission's review left is taken away, too
            gradebook.find_grade(*where).extra_credit = review["points"] - total if review else None
            gradebook.db.commit()
    nb.cells.insert(first, _report(page(grade, staff=False)))
    if review is None:
        return undecided
    nb.cells.insert(first, _reviewed(review, total))
    return []  # a person has decided


class MendCells(NbGraderPreprocessor):
    """Before all of nbgrader's steps, which give up on metadata that they did not write: as in the gradebook, or none."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Restores nbgrader's metadata of every cell that the gradebook knows; to no other cell (one that was pasted
        from another assignment, say) belongs any."""
        about = resources["nbgrader"]
        with Gradebook(about["db_url"]) as gradebook:
            known = gradebook.find_notebook(about["notebook"], about["assignment"])
            points = {cell.name: cell.max_score for cell in (*known.grade_cells, *known.task_cells)}
            graded, answers, tasks = (
                {cell.name for cell in cells} for cells in (known.grade_cells, known.solution_cells, known.task_cells)
            )
            sources = {cell.name: cell for cell in known.source_cells}
            for cell in nb.cells:
                sent = cell.metadata.pop("nbgrader", None)
                name = sent.get("grade_id") if isinstance(sent, dict) else None
                if not isinstance(name, str) or name not in sources:
                    continue
                if sources[name].cell_type == "code":  # which has none, and which it is made again if it was changed
                    cell.pop("attachments", None)
                cell.metadata["nbgrader"] = NotebookNode(
                    grade_id=name,
                    grade=name in graded,
                    solution=name in answers,
                    task=name in tasks,
                    locked=bool(sources[name].locked),
                    checksum=sources[name].checksum,
                    cell_type=sources[name].cell_type,
                    schema_version=3,
                )
                if name in points:
                    cell.metadata["nbgrader"]["points"] = float(points[name])
        return nb, resources


class FlagUndecided(NbGraderPreprocessor):
    """After the points are saved: what we could not decide waits for a person instead of counting as nothing."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Marks the grades; the notebook stays."""
        about = resources["nbgrader"]
        with Gradebook(about["db_url"]) as gradebook:
            for name in resources.get(_UNDECIDED, ()):
                grade = gradebook.find_grade(name, about["notebook"], about["assignment"], about["student"])
                grade.needs_manual_grade = True
            gradebook.db.commit()
        return nb, resources


class DeductLate(NbGraderPreprocessor):
    """Instead of nbgrader's AssignLatePenalties: the service knows deadlines, extensions and the policy.

    It is a number of points, not a share of what was reached: written answers are graded later, and are late as well.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Sets the penalty of the student's notebook, or takes an earlier one away; the notebook stays."""
        about = resources["nbgrader"]
        with Gradebook(about["db_url"]) as gradebook:
            found = gradebook.find_submission_notebook(about["notebook"], about["assignment"], about["student"])
            found.late_submission_penalty = resources.get(_LATE, 0.0) or None
            gradebook.db.commit()
        return nb, resources


SANITIZE = (MendCells, ClearOutput, DeduplicateIds, OverwriteKernelspec, OverwriteCells, CheckCellMetadata)
PREPROCESSORS = (
    JudgeExecute,
    IgnorePattern,
    ClearMetadataPreprocessor,
    LimitOutput,
    SaveAutoGrades,
    FlagUndecided,
    DeductLate,
    CheckCellMetadata,
)


def _decided(gradebook: Gradebook, name: str, about: dict[str, str]) -> float | None:
    """Points that a person gave for a criterion in Formgrader."""
    try:
        grade = gradebook.find_grade(name, about["notebook"], about["assignment"], about["student"])
    except MissingEntry:
        return None
    return None if grade.manual_score is None else float(grade.manual_score)


def _is_criterion(cell: NotebookNode) -> bool:
    return str(cell.metadata["nbgrader"]["grade_id"]).startswith(PREFIX)


def _restored(gradebook: Gradebook, name: str, about: dict[str, str]) -> NotebookNode:
    """A criterion cell that the student deleted, as the gradebook knows it."""
    source = gradebook.find_source_cell(name, about["notebook"], about["assignment"])
    cell = new_code_cell(source.source, id=name[:64])
    cell.metadata["nbgrader"] = NotebookNode(
        grade_id=name, checksum=source.checksum, cell_type="code", schema_version=3, points=0.0
    )
    return cell


def _reviewed(review: dict[str, Any], total: float) -> NotebookNode:
    """What a TA decided, in words."""
    words = f"Reviewed by {review['by']}: {review['points']:g} points instead of {total:g}. {review['reason']}"
    cell = new_code_cell("# A review by the course's staff", id=REVIEW)
    cell.outputs = [new_output("display_data", data={"text/plain": words, "text/html": f"<p>{html.escape(words)}</p>"})]
    return cell


def _report(whole: str) -> NotebookNode:
    """The self-contained report in a frame of its own: no script runs in it, no style leaks out of it."""
    frame = (
        f'<iframe title="Report of the autograder" sandbox srcdoc="{html.escape(whole, quote=True)}" '
        'style="width: 100%; height: 50em; border: 1px solid #888"></iframe>'
    )
    cell = new_code_cell("# The report of the autograder", id=REPORT)
    cell.outputs = [new_output("display_data", data={"text/plain": "The report is shown in HTML.", "text/html": frame})]
    return cell
