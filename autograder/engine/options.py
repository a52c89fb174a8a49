"""How a node grades, as data."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

IMAGE = "autograder-grader:current"
STUDENT_IMAGE = "autograder-student:current"


@dataclass(frozen=True, slots=True)
class Options:
    """How a node grades.

    Attributes:
        kind: `docker` or `subprocess` (isolates nothing; results are never recorded as grades).
        student_image: where a notebook's cells are run for showing; a node without it runs none.
        pairs: process pairs per duel; 1 is quick mode.
        slots: gradings at once; 0 means one per group of cores that the assignment asks for.
    """

    kind: str = "docker"
    image: str = field(default_factory=lambda: os.environ.get("AUTOGRADER_IMAGE", IMAGE))
    student_image: str = field(default_factory=lambda: os.environ.get("AUTOGRADER_STUDENT_IMAGE", STUDENT_IMAGE))
    pairs: int = 2
    slots: int = 0
    references: Path | None = None
    weakened: frozenset[str] = frozenset()
