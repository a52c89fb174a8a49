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
from autograder.report.showcase import Exhibit, write_site

log = logging.getLogger("autograder.gallery")


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What counts for one team.

    Attributes:
        number: of the submission; names a page where a title cannot.
        content: the archive.
        grade: the object of `grade --json`, or None while its claims are not measured; of `graded_at`.
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
        if not slug or slug == "index" or slug in [p.slug for _, p, _ in read]:
            slug = f"{slug or 'project'}-{one.number}"
        read.append((one, replace(project, slug=slug), files))
    day = load_programme(programme, [p.slug for _, p, _ in read]) if programme else Programme("Final projects", "", {})
    exhibits = sorted((_exhibit(*row, day) for row in read), key=lambda e: (e.begins is None, e.begins, e.project.slug))
    return write_site(exhibits, target, day.title, day.place)


def _exhibit(one: HandedIn, project: Project, files: dict[str, bytes], day: Programme) -> Exhibit:
    measured, machine = tuple[Measured, ...](), ""
    if one.grade is not None:
        known = {c["id"]: Measured.from_json(c["evidence"][CLAIM]) for c in one.grade["criteria"]}
        measured = tuple(known[c.id] for c in project.claims)
        machine = (
            f"{one.grade['machine'].get('processor', 'a machine')}, {one.grade['machine'].get('cores', '?')} cores"
        )
    pdfs = {t: files[t] for t in project.links.values() if t in files}
    return Exhibit(project, measured, one.graded_at, machine, pdfs, day.talks.get(project.slug))
