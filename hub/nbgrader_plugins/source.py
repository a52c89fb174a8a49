"""Builds nbgrader's `source/<assignment>/` from the course: the allow-listed student copy, plus one cell per criterion.

The cells are locked test cells that hold no test: nbgrader counts their points, and `execute` fills them in from the
judge's verdict. Hidden checks, references and solutions never come near nbgrader's folders.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from autograder.api import Assignment, find, load, release
from hub.nbgrader_plugins import built

PREFIX = "criterion-"
REPORT = "autograder-report"
REVIEW = "autograder-review"
_WAITING = "Filled in by the autograder after you submit; nothing to run or to change here."


def build(slug: str, course_dir: Path, course_folder: Path | None = None) -> Path:
    """Writes `source/<slug>/` of a course directory anew.

    Args:
        slug: the assignment.
        course_dir: nbgrader's course directory.
        course_folder: where the assignments lie; the installed course's if None.

    Returns:
        The folder.

    Raises:
        CourseError: the assignment is missing or not whole.
    """
    assignment = load(find(slug, course_folder))
    target = course_dir / "source"
    target.mkdir(parents=True, exist_ok=True)
    release(assignment, target)
    path = target / assignment.slug / f"{assignment.slug}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"] += criterion_cells(assignment)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path.parent


def plan(slug: str, course_folder: Path | None = None) -> tuple[str, dict[str, float | None]]:
    """What `build` would write now: in sixteen hex digits, and which cells of nbgrader's with which points.

    The digits are not the version that grades bear: that changes with references and hidden checks, of which nothing is
    here, and does not with the notebook's words.

    Raises:
        CourseError: the assignment is missing or not whole.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = build(slug, Path(folder), course_folder)
        known = hashlib.sha256()
        for path in sorted(p for p in made.rglob("*") if p.is_file()):
            content = path.read_bytes()
            known.update(f"{path.relative_to(made)}\0{len(content)}\0".encode() + content)
        return known.hexdigest()[:16], built.points(made / f"{made.name}.ipynb")


def criterion_cells(assignment: Assignment) -> list[dict[str, Any]]:
    """A heading, and one locked test cell for each criterion; titles of hidden checks stay in the verdict."""
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "markdown",
            "id": f"{PREFIX}heading",
            "metadata": {"nbgrader": _metadata(f"{PREFIX}heading")},
            "source": f"## Points\n\n{_WAITING}",
        }
    ]
    for criterion in assignment.criteria:
        name = PREFIX + criterion.id
        shown = criterion.title if criterion.public else "Hidden check" if not criterion.kind.timed else "Speed"
        cells.append(
            {
                "cell_type": "code",
                "id": name[:64],
                "metadata": {"deletable": False, "editable": False, "nbgrader": _metadata(name, criterion.points)},
                "source": f"# {shown} ({criterion.points:g} points). {_WAITING}",
                "outputs": [],
                "execution_count": None,
            }
        )
    return cells


def _metadata(grade_id: str, points: float | None = None) -> dict[str, Any]:
    plain = {
        "grade": False,
        "grade_id": grade_id,
        "locked": True,
        "schema_version": 3,
        "solution": False,
        "task": False,
    }
    return plain if points is None else {**plain, "grade": True, "points": points}


def main() -> None:
    """`python -m hub.nbgrader_plugins.source COURSE_DIR ASSIGNMENT...`"""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("course_dir", type=Path)
    parser.add_argument("assignments", nargs="+")
    chosen = parser.parse_args()
    for slug in chosen.assignments:
        build(slug, chosen.course_dir)


if __name__ == "__main__":
    main()
