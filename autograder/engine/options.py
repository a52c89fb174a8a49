"""How a node grades, as data."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from autograder.measure.gpu import lent

IMAGE = "autograder-grader:current"
STUDENT_IMAGE = "autograder-student:current"
GPU_IMAGE = "autograder-gpu:current"


@dataclass(frozen=True, slots=True)
class Options:
    """How a node grades.

    Attributes:
        kind: `docker` or `subprocess` (isolates nothing; results are never recorded as grades).
        gpu_image: guests that have a GPU run in this.
        student_image: where a notebook's cells are run for showing; a node without it runs none.
        pairs: process pairs per duel; 1 is quick mode.
        slots: gradings at once; 0 means one per group of cores that the assignment asks for.
        gpus: what this machine lends to GPU assignments, by UUID, one grading at a time on each.
    """

    kind: str = "docker"
    image: str = field(default_factory=lambda: os.environ.get("AUTOGRADER_IMAGE", IMAGE))
    student_image: str = field(default_factory=lambda: os.environ.get("AUTOGRADER_STUDENT_IMAGE", STUDENT_IMAGE))
    gpu_image: str = field(default_factory=lambda: os.environ.get("AUTOGRADER_GPU_IMAGE", GPU_IMAGE))
    pairs: int = 2
    slots: int = 0
    gpus: tuple[str, ...] = field(default_factory=lent)
    references: Path | None = None
    weakened: frozenset[str] = frozenset()
