"""From an assignment folder to the student's copy: an allow-listed tree, never "everything but".

What is copied: the notebook with its solutions stripped and hidden tests cut, `assignment.toml` without anything hidden,
`test_public.py`, `adapter.py`, and files under `data/` and `figures/`. Nothing else, whatever lies in the folder.
"""

from __future__ import annotations

import ast
import json
import re
import secrets
import shutil
import tomllib
from pathlib import Path
from typing import Any

from autograder.course.load import FILE
from autograder.course.notebook import STUB, STUB_BESIDE, STUB_IN_BLOCK, tree_of
from autograder.domain.assignment import Assignment
from autograder.errors import CourseError

_SOLUTION = re.compile(r"^([ \t]*)### BEGIN SOLUTION\b.*?^[ \t]*### END SOLUTION[^\n]*\n?", re.DOTALL | re.MULTILINE)
_HIDDEN = re.compile(
    r"^[ \t]*### BEGIN HIDDEN TESTS\b.*?^[ \t]*### END HIDDEN TESTS[^\n]*\n?", re.DOTALL | re.MULTILINE
)
_OPEN_FILES = ("test_public.py", "adapter.py")
_OPEN_FOLDERS = ("data", "figures")
_OPEN_KEYS = (
    "title",
    "lecture",
    "domain",
    "kind",
    "summary",
    "resources",
    "limits",
    "functions",
    "callbacks",
    "written",
)


def release(assignment: Assignment, target: Path) -> list[Path]:
    """Writes the student's copy of an assignment.

    Args:
        target: a folder; `target/<slug>` is made anew.

    Returns:
        The files written.

    Raises:
        CourseError: a solution region is not closed, the notebook is missing, or in that place lies something else.
    """
    out = target / assignment.slug
    _free(assignment, out)
    made = target / f".{assignment.slug}.{secrets.token_hex(4)}"
    made.mkdir(parents=True)
    try:
        written = _written(assignment, made)
        if out.exists():
            shutil.rmtree(out)
        made.rename(out)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return [out / p.relative_to(made) for p in written]


def _free(assignment: Assignment, out: Path) -> None:
    """Whether what lies there may be replaced: nothing but an earlier copy for students, and never the assignment itself."""
    own, there = assignment.folder.resolve(), out.resolve()
    if own == there or own in there.parents or there in own.parents:
        raise CourseError(str(out), f"is where the assignment itself lies ({own}); release it to another folder")
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise CourseError(str(out), "is no folder; remove it, or release to another one")
    known = {f"{assignment.slug}.ipynb", FILE, *_OPEN_FILES, *_OPEN_FOLDERS, "__pycache__"}
    found = {p.name for p in out.iterdir()} if out.is_dir() else set()
    if foreign := sorted(n for n in found - known if not n.startswith(".") and not n.endswith("~")):
        raise CourseError(
            str(out), f"holds {foreign[0]}, which no release wrote; remove it, or release to another folder"
        )
    if found and FILE not in found:  # somebody's work, and no release
        raise CourseError(str(out), f"holds {min(found)} and no {FILE}: release to another folder")


def _written(assignment: Assignment, out: Path) -> list[Path]:
    written = [_notebook(assignment, out), _settings(assignment, out)]
    for file in (assignment.folder / name for name in _OPEN_FILES):
        if file.is_file():
            written.append(Path(shutil.copyfile(file, out / file.name)))
    for name in _OPEN_FOLDERS:
        for path in sorted((assignment.folder / name).glob("*")):
            if path.is_file() and not path.is_symlink():
                (out / name).mkdir(exist_ok=True)
                written.append(Path(shutil.copyfile(path, out / name / path.name)))
    return written


def starter(assignment: Assignment) -> dict[str, Any]:
    """The notebook as students get it, as a value."""
    path = assignment.folder / f"{assignment.slug}.ipynb"
    try:
        notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CourseError(str(path), "is missing") from error
    except ValueError as error:
        raise CourseError(str(path), f"is not a notebook: {error}") from error
    for number, cell in enumerate(notebook["cells"], start=1):
        source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        graded = cell.get("metadata", {}).get("nbgrader", {})
        if cell["cell_type"] == "markdown" and graded.get("solution"):
            source = "*Your answer here.*\n" if "### BEGIN SOLUTION" in source or graded.get("grade") else source
        source = _HIDDEN.sub("", _without_solutions(source))
        if "### BEGIN" in source or "### END" in source:
            raise CourseError(f"{path}: cell {number}", "a solution or hidden region is not closed")
        cell["source"] = source
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return notebook


def _without_solutions(source: str) -> str:
    """Each region's stub is what belongs there: an import that ends in one would take what was written elsewhere with it."""
    tree = tree_of(source)
    if tree is None:  # prose
        return _SOLUTION.sub(lambda m: f"{m[1]}{STUB}\n", source)
    scopes = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]

    def stub(region: re.Match[str]) -> str:
        line = source.count("\n", 0, region.start()) + 1
        around = [s for s in scopes if s.lineno < line <= (s.end_lineno or 0)]
        if around and not isinstance(max(around, key=lambda s: s.lineno), ast.ClassDef):
            return f"{region[1]}{STUB}\n"
        return f"{region[1]}{STUB_IN_BLOCK}\n" if region[1] else f"{STUB_BESIDE}\n"

    return _SOLUTION.sub(stub, source)


def _notebook(assignment: Assignment, out: Path) -> Path:
    path = out / f"{assignment.slug}.ipynb"
    path.write_text(json.dumps(starter(assignment), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _settings(assignment: Assignment, out: Path) -> Path:
    """`assignment.toml` with what a student may know: no hidden criterion, no name of a reference's file."""
    with (assignment.folder / FILE).open("rb") as file:
        data = tomllib.load(file)
    lines = [f"{k} = {_toml(data[k])}" for k in _OPEN_KEYS if k in data and not isinstance(data[k], dict)]
    lines += ["", "[reference]"] + [f'{k} = ""' for k in ("oracle", "baseline", "kernel")]
    for key in _OPEN_KEYS:
        if isinstance(data.get(key), dict):
            lines += _table(key, data[key])
    for criterion in data["criteria"]:
        if criterion.get("visibility") == "public":
            lines += ["", "[[criteria]]"] + [f"{k} = {_toml(v)}" for k, v in criterion.items() if k != "control"]
    path = out / FILE
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _table(name: str, table: dict[str, Any]) -> list[str]:
    flat = {k: v for k, v in table.items() if not isinstance(v, dict)}
    lines = ["", f"[{name}]"] + [f"{k} = {_toml(v)}" for k, v in flat.items()] if flat else []
    for key, value in table.items():
        if isinstance(value, dict):
            lines += _table(f"{name}.{key}", value)
    return lines


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
