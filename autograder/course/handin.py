"""`handin.toml`, the staff's file: how final projects are handed in. For the service a project is an assignment without criteria."""

from __future__ import annotations

from pathlib import Path

from autograder.course.project import LIMIT_KB, MOST_CORES
from autograder.course.tables import SLUG, Tables, parsed
from autograder.domain.assignment import Assignment, Kind, Limits, Resources

FILE = "handin.toml"


def load_handin(folder: Path) -> Assignment:
    """Reads and checks one.

    Raises:
        CourseError: with the file and the key that are wrong.
    """
    path = folder / FILE
    tables = Tables(path)
    if not SLUG.fullmatch(folder.name):
        tables.refuse("folder", f"{folder.name!r} must be lower-case letters, digits and underscores")
    words, numbers = dict.fromkeys(("title", "summary"), str), dict.fromkeys(("cores", "submission_kb"), int)
    top = tables.take(parsed(path), "", {**words, **numbers, "points": (int, float)}, ("title", "summary", "points"))
    for key, most in (("cores", MOST_CORES), ("submission_kb", LIMIT_KB), ("points", 1e6)):
        if key in top and not 0 < top[key] <= most:
            tables.refuse(key, f"must be above 0, and {most:g} at most")
    return Assignment(
        folder.name, folder, top["title"], "", "", Kind.SERIAL, top["summary"], "", "", "",
        Resources(cores=top.get("cores", 1)), Limits(submission_kb=top.get("submission_kb", LIMIT_KB)), (), (), (),
        written_points=float(top["points"]), project=True,
    )  # fmt: skip
