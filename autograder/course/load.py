"""`assignment.toml` → `Assignment`. Unknown keys, wrong types and missing files are refused with file and key."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from autograder.course import handin
from autograder.course.signatures import Signatures
from autograder.course.tables import SLUG, parsed
from autograder.domain.assignment import Assignment, Criterion, CriterionKind, Kind, Limits, Resources, Role, Tier
from autograder.errors import CourseError

FILE = "assignment.toml"
MOST_POINTS, MOST_WORKERS = 1e6, 1024


def find(name: str, course: Path | None = None) -> Path:
    """The folder of an assignment, given as a path or as a name under the course's folder.

    Raises:
        CourseError: there is none.
    """
    for folder in (Path(name), (course or course_folder()) / name):
        if (folder / FILE).is_file() or (folder / handin.FILE).is_file():
            return folder.resolve()
    raise CourseError(
        name,
        f"no such assignment: neither a folder with {FILE} nor a name under {course or course_folder()}; try `autograder course list`",
    )


def course_folder() -> Path:
    """What AUTOGRADER_COURSE_FOLDER names, else `assignments/` here, or beside the installed package."""
    if named := os.environ.get("AUTOGRADER_COURSE_FOLDER"):
        return Path(named)
    here = Path.cwd() / "assignments"
    return here if here.is_dir() else Path(__file__).resolve().parents[2] / "assignments"


def all_folders(course: Path | None = None) -> list[Path]:
    """Every assignment of the course in order; the template (leading underscore) too, last."""
    found = [p.parent for p in (course or course_folder()).glob(f"*/{FILE}")]
    return sorted(found, key=lambda p: (p.name.startswith("_"), p.name))


def project_folders(course: Path | None = None) -> list[Path]:
    """Where final projects are handed in; those are no exercises, and nothing but the service asks for them."""
    return sorted(p.parent for p in (course or course_folder()).glob(f"*/{handin.FILE}"))


def load(folder: Path) -> Assignment:
    """Reads and checks one folder, of an assignment or of final projects.

    Raises:
        CourseError: with the file and the key that are wrong.
    """
    path = folder / FILE
    if not path.is_file() and (folder / handin.FILE).is_file():
        return handin.load_handin(folder)
    return _Reader(folder, path).assignment(parsed(path))


def exercise(name: str) -> Assignment:
    """What has checks, solutions and a release: not the place where final projects are handed in.

    Raises:
        CourseError: it is not there, not right, or that place.
    """
    found = load(find(name))
    if found.project:
        raise CourseError(
            name, "holds final projects, which bring claims of their own; see `autograder showcase --help`"
        )
    return found


class _Reader(Signatures):
    """One `assignment.toml`."""

    def __init__(self, folder: Path, path: Path) -> None:
        super().__init__(path)
        self.folder = folder

    def assignment(self, data: Mapping[str, Any]) -> Assignment:
        words = dict.fromkeys(("title", "lecture", "domain", "kind", "summary"), str)
        tables: dict[str, type | tuple[type, ...]] = {
            **words,
            **dict.fromkeys(
                ("reference", "resources", "limits", "functions", "callbacks", "validate", "written"), dict
            ),
            "criteria": list,
        }
        top = self.take(
            data, "", tables, ("title", "lecture", "domain", "kind", "summary", "reference", "functions", "criteria")
        )
        slug = self.folder.name
        if not SLUG.fullmatch(slug.lstrip("_")):
            self.refuse("folder", f"{slug!r} must be lower-case letters, digits and underscores")
        if top["kind"] not in list(Kind):
            self.refuse("kind", f"must be one of {', '.join(Kind)}")
        reference = self.take(
            top["reference"],
            "reference.",
            dict.fromkeys(("oracle", "baseline", "kernel"), str),
            ("oracle", "baseline", "kernel"),
        )
        validate = self.take(top.get("validate", {}), "validate.", {"lower_precision": bool, "reason": str})
        if not validate.get("lower_precision", True) and not validate.get("reason"):
            self.refuse("validate.reason", "is missing: say why lower precision cannot be told apart")
        written = self.take(top.get("written", {}), "written.", {"points": (int, float)})
        if not 0 <= written.get("points", 0) < MOST_POINTS:
            self.refuse("written.points", f"must be from 0 to {MOST_POINTS:g}")
        functions = tuple(self.function(n, t, "functions.") for n, t in top["functions"].items())
        callbacks = tuple(self.function(n, t, "callbacks.") for n, t in top.get("callbacks", {}).items())
        known = {c.name for c in callbacks}
        for declared, name in ((f.name, a.callback) for f in functions for a in f.arguments if a.role is Role.CALLBACK):
            if name not in known:
                self.refuse(
                    f"functions.{declared}.arguments", f"the callback {name!r} is not declared under [callbacks]"
                )
        if top["kind"] == Kind.GPU and any(a.role is Role.CALLBACK for f in functions for a in f.arguments):
            self.refuse("kind", "a function of a GPU assignment takes no callback: arrays live on the device")
        if top["kind"] != Kind.MPI and any(f.comm for f in functions):
            self.refuse("kind", 'a function takes a communicator: the kind must be "mpi"')
        return Assignment(
            slug=slug,
            folder=self.folder,
            kind=Kind(top["kind"]),
            **{k: top[k] for k in ("title", "lecture", "domain", "summary")},
            **reference,
            resources=self.numbers(Resources, top.get("resources", {}), "resources."),
            limits=self.numbers(Limits, top.get("limits", {}), "limits."),
            functions=functions,
            callbacks=callbacks,
            criteria=self.criteria(top["criteria"]),
            written_points=float(written.get("points", 0)),
            lower_precision=validate.get("lower_precision", True),
            lower_precision_reason=validate.get("reason", ""),
        )

    def numbers(self, kind: Any, table: Mapping[str, Any], where: str) -> Any:
        allowed: dict[str, type | tuple[type, ...]] = {}
        for field in fields(kind):
            allowed[field.name] = list if field.name == "preload" else int if field.type == "int" else (int, float)
        values = self.take(table, where, allowed)
        for key, value in values.items():
            if key != "preload" and not 0 < value < 1e6:
                self.refuse(f"{where}{key}", "must be positive")
        if "preload" in values:
            values["preload"] = tuple(values["preload"])
            if not all(isinstance(m, str) and re.fullmatch(r"[\w.]+", m) for m in values["preload"]):
                self.refuse(f"{where}preload", "must be names of Python modules")
        return kind(**values)

    def criteria(self, rows: list[Any]) -> tuple[Criterion, ...]:
        allowed: dict[str, type | tuple[type, ...]] = {
            **dict.fromkeys(("id", "title", "kind", "visibility", "hint", "against", "control"), str),
            "points": (int, float),
            "tiers": list,
            "workers": int,
            **dict.fromkeys(("calibrated", "flops", "bytes"), (int, float)),
        }
        made: list[Criterion] = []
        for i, row in enumerate(rows):
            where = f"criteria[{i}]."
            if not isinstance(row, dict):
                self.refuse(where, "must be a table")
            parts = self.take(row, where, allowed, ("id", "title"))
            if any(c.id == parts["id"] for c in made):
                self.refuse(f"{where}id", f"{parts['id']!r} is used twice")
            made.append(self.criterion(parts, where))
        if not made:
            self.refuse("criteria", "an assignment needs at least one")
        return tuple(made)

    def criterion(self, parts: dict[str, Any], where: str) -> Criterion:
        choices = {"kind": tuple(CriterionKind), "visibility": ("public", "hidden"), "against": ("kernel", "baseline")}
        for key, values in choices.items():
            if parts.get(key, values[0]) not in values:
                self.refuse(where + key, f"must be one of {', '.join(values)}")
        kind = CriterionKind(parts.get("kind", "correctness"))
        tiers = tuple(self.tier(t, f"{where}tiers") for t in parts.get("tiers", []))
        if kind.timed != bool(tiers):
            self.refuse(f"{where}tiers", "a timed criterion has tiers, a correctness criterion has none")
        if kind.timed and "points" in parts:
            self.refuse(f"{where}points", "a timed criterion's points are those of its tiers")
        if not kind.timed and "points" not in parts:
            self.refuse(f"{where}points", "is missing")
        if parts.get("visibility") == "hidden" and not parts.get("hint"):
            self.refuse(f"{where}hint", "is missing: a hidden check needs a sentence that helps and leaks nothing")
        if not 0 <= parts.get("points", 0) < MOST_POINTS:
            self.refuse(f"{where}points", f"must be from 0 to {MOST_POINTS:g}")
        if not 1 <= parts.get("workers", 1) < MOST_WORKERS or not 0 <= parts.get("calibrated", 0) < MOST_WORKERS:
            self.refuse(
                f"{where}workers", "and calibrated are how many work, and how much faster they are: positive numbers"
            )
        points = sum(t.points for t in tiers) if tiers else float(parts["points"])
        free = ("hint", "against", "workers", "calibrated", "control", "flops", "bytes")
        extra = {k: parts[k] for k in free if k in parts}
        if "control" in parts and not (kind.timed and re.fullmatch(r"\w[\w.-]*\.py", parts["control"])):
            self.refuse(f"{where}control", "must name a file in solutions/, of a timed criterion")
        if not all(0 <= parts.get(k, 0) < math.inf for k in ("flops", "bytes")) or (
            not kind.timed and {"flops", "bytes"} & set(parts)
        ):
            self.refuse(f"{where}flops", "flops and bytes are counts of a timed call, and not negative")
        return Criterion(
            parts["id"], parts["title"], points, kind, parts.get("visibility") == "public", tiers=tiers, **extra
        )

    def tier(self, row: Any, where: str) -> Tier:
        if not isinstance(row, dict):
            self.refuse(where, "must be tables { threshold = …, points = … }")
        parts = self.take(
            row, f"{where}.", {"threshold": (int, float), "points": (int, float)}, ("threshold", "points")
        )
        if not (0 < parts["threshold"] < 1e6 and 0 <= parts["points"] < MOST_POINTS):
            self.refuse(where, "a threshold must be positive, points must not be negative")
        return Tier(float(parts["threshold"]), float(parts["points"]))
