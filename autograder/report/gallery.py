"""The showcase of what was handed in to a service: archives and their grades → a site."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.course.programme import Programme, load_programme
from autograder.course.project import read_project_bytes, slug_of
from autograder.domain.project import CLAIM, Measured, Project
from autograder.errors import SubmissionError
from autograder.report.showcase import exhibit, write_site

log = logging.getLogger("autograder.gallery")


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What counts for one team.

    Attributes:
        number: of the submission; names a page where a title cannot.
        content: the archive.
        grade: the object of `grade --json`, or None while its claims are not measured.
        graded_at: when that was; None where there is no grade.
    """

    number: int
    name: str
    content: bytes
    grade: dict[str, Any] | None
    graded_at: datetime | None


def write_gallery(handed: Sequence[HandedIn], programme: Path | None, target: Path) -> list[Path]:
    """Writes the whole site; arguments and errors as for `write_site`.

    Args:
        programme: `showcase.toml`, or None where no day is fixed. Its `order` names projects by their titles, in lower case
            and with hyphens.

    Raises:
        CourseError: the programme is wrong, or the folder holds something else.
    """
    read = list[tuple[HandedIn, Project, dict[str, bytes]]]()
    for one in handed:
        try:
            project, files = read_project_bytes(one.name, one.content)
        except SubmissionError as error:  # it was taken in under other rules
            log.warning("submission %s is not shown: %s", one.number, error)
            continue
        slug = slug_of(project.title)
        while not slug or slug == "index" or slug in [p.slug for _, p, _ in read]:
            slug = f"{slug or 'project'}-{one.number}"
        read.append((one, replace(project, slug=slug), files))
    day = (
        load_programme(programme, [p.slug for _, p, _ in read], strict=False)
        if programme
        else Programme("Final projects", "", {})
    )
    exhibits = [
        exhibit(project, files, _measured(one.grade), one.graded_at, (one.grade or {}).get("machine", {}), day)
        for one, project, files in read
    ]
    return write_site(exhibits, target, day.title, day.place)


def _measured(grade: dict[str, Any] | None) -> list[Measured]:
    """Of every claim, or nothing."""
    return [Measured.from_json(c["evidence"][CLAIM]) for c in grade["criteria"]] if grade else []
