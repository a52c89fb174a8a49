"""`.built-<assignment>` in a course directory: what its source folder was made of, and by which making.

Staff write in that directory, too: what a file says is taken only where it looks like ours.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hub.nbgrader_plugins.ground import writable

NAME = ".built-{}"
_DIGITS = re.compile(r"[0-9a-f]{0,16}")


@dataclass(frozen=True, slots=True)
class Built:
    """One making.

    Attributes:
        stamp: of the course's assignment; empty while a making is under way, so that whoever follows finishes it.
        token: of the last making that touched points; what was written before it is written again.
        place: the criterion whose extra credit belongs to reviews.
        cells: those of ours in the source notebook, with their points; None where a cell gives none.
    """

    stamp: str = ""
    token: str = ""
    place: str = ""
    cells: dict[str, float | None] = field(default_factory=dict)


def read(course_dir: Path, assignment: str) -> Built | None:
    """None where nothing is recorded; what is damaged was a making that has to be done again."""
    try:
        text = (course_dir / NAME.format(assignment)).read_text(encoding="utf-8")
        if _DIGITS.fullmatch(text.strip()):  # of before there was more to say
            return Built(text.strip())
        found = Built(**json.loads(text))
        cells = {str(name): None if points is None else float(points) for name, points in found.cells.items()}
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, AttributeError):
        return Built()
    told = (found.stamp, found.token)
    sound = all(isinstance(t, str) and _DIGITS.fullmatch(t) for t in told) and isinstance(found.place, str)
    return Built(*told, found.place, cells) if sound else Built()


def write(course_dir: Path, assignment: str, built: Built) -> None:
    """Whole or not at all."""
    path = course_dir / NAME.format(assignment)
    partial = path.with_name(f"{path.name}.partial")
    with writable(partial) as file:
        json.dump(asdict(built), file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def points(notebook: Path) -> dict[str, float | None]:
    """nbgrader's cells of a notebook; none where it is missing or damaged."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        marked = [cell["metadata"]["nbgrader"] for cell in cells if "nbgrader" in cell["metadata"]]
        return {
            str(m["grade_id"]): float(m.get("points", 0.0)) if m.get("grade") or m.get("task") else None
            for m in marked
            if m.get("grade_id")
        }
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return {}
