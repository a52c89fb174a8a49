"""What was graded against: a hash over an assignment's folder and its references."""

from __future__ import annotations

from pathlib import Path

from autograder.domain.assignment import Assignment
from autograder.domain.submission import digest

_LEFT_OUT = {"solutions", "mutants", "mutants.toml", "__pycache__", ".ipynb_checkpoints"}


def version(assignment: Assignment, references: Path) -> str:
    """Sixteen hex digits that change whenever a check, a setting, a kernel or a control does.

    Args:
        references: the folder of reference kernels.
    """
    files = {}
    for path in sorted(assignment.folder.rglob("*")):
        relative = path.relative_to(assignment.folder)
        if path.is_file() and not set(relative.parts) & _LEFT_OUT and path.suffix != ".ipynb":
            files[f"assignment/{relative}"] = path.read_bytes()
    for path in (assignment.control(c.control) for c in assignment.criteria if c.control):
        files[f"assignment/{path.relative_to(assignment.folder)}"] = path.read_bytes() if path.is_file() else b""
    for path in sorted(references.glob("*.py")):
        files[f"reference/{path.name}"] = path.read_bytes()
    return digest(files)[:16]
