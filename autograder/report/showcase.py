"""The showcase as a static site: a card for each project, a page for each, the day's programme. No script, no network."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.course.programme import Programme
from autograder.domain.project import Measured, Project, Standing
from autograder.errors import CourseError
from autograder.report import plots
from autograder.report.page import TEMPLATES

MARK = "showcase.json"  # lies in every site that was built here: nothing else is ever replaced
SIGNS = {
    Standing.VERIFIED: "✓", Standing.SLOWER: "✗", Standing.FASTER: "✗", Standing.FAILED: "✗", Standing.UNDECIDED: "…",
    Standing.WAITING: "…", Standing.OURS: "…",
}  # fmt: skip
WORDS = {
    Standing.VERIFIED: "the whole measured interval lies within 15 % of the claim",
    Standing.SLOWER: "slower than claimed",
    Standing.FASTER: "faster than claimed",
    Standing.FAILED: "could not be run, or the two programs do not agree",
    Standing.UNDECIDED: "not decided",
    Standing.WAITING: "waits for a machine with a GPU",
    Standing.OURS: "our grader failed",
}


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A project with what was measured of it.

    Attributes:
        measured: one for each claim, in their order; empty where this version was not measured.
        machine: on which, in words.
        pdfs: name → content of those that its links name.
        begins: of its talk, in the course's time zone; None where there is no programme.
    """

    project: Project
    measured: tuple[Measured, ...]
    measured_at: datetime | None
    machine: str
    pdfs: dict[str, bytes]
    begins: datetime | None = None

    @property
    def verified(self) -> int:
        """How many claims are."""
        return sum(m.standing is Standing.VERIFIED for m in self.measured)

    @property
    def unnamed(self) -> int:
        """How many of the team are not named in public."""
        return len(self.project.team) - len(self.project.named)

    @property
    def links(self) -> dict[str, str]:
        """Addresses as the site has them."""
        slug = self.project.slug
        return {
            key: f"{slug}-{key}.pdf" if target in self.pdfs else target for key, target in self.project.links.items()
        }

    def files(self) -> dict[str, bytes]:
        """Name in the site → content, of what is published beside the pages."""
        return {
            name: self.pdfs[self.project.links[key]]
            for key, name in self.links.items()
            if name.endswith(".pdf") and self.project.links[key] in self.pdfs
        }


def exhibit(
    project: Project, files: dict[str, bytes], measured: Sequence[Measured], measured_at: datetime | None,
    machine: dict[str, Any], day: Programme,
) -> Exhibit:  # fmt: skip
    """A project for the site.

    Args:
        files: of the project; those that its links name are published.
        measured: of this version, in any order; of fewer than all claims nothing is shown.
        machine: the fingerprint that a grade carries.
    """
    known = {m.claim: m for m in measured}
    whole = tuple(known[c.id] for c in project.claims) if len(known) == len(project.claims) else ()
    words = f"{machine.get('processor', 'a machine')}, {machine.get('cores', '?')} cores"
    pdfs = {t: files[t] for t in project.links.values() if t in files}
    return Exhibit(project, whole, measured_at, words, pdfs, day.talks.get(project.slug))


def write_site(exhibits: Sequence[Exhibit], target: Path, title: str, place: str = "") -> list[Path]:
    """Writes the whole site into a folder, in the place of one that was written before.

    Args:
        exhibits: shown in the order of the programme, or by name.
        place: of the talks, or nothing.

    Raises:
        CourseError: the folder holds something else.
    """
    if target.exists() and not (target / MARK).is_file() and any(target.iterdir()):
        raise CourseError(str(target), f"is not empty and holds no {MARK}: it is no showcase, and stays as it is")
    exhibits = sorted(exhibits, key=lambda e: (e.begins is None, e.begins, e.project.slug))
    words = {"title": title, "place": place, "signs": SIGNS, "words": WORDS, "plots": plots, "Standing": Standing}
    pages = {
        "index.html": TEMPLATES.get_template("showcase.html").render(exhibits=exhibits, **words),
        **{
            f"{e.project.slug}.html": TEMPLATES.get_template("project.html").render(
                exhibit=e, project=e.project, rows=list(zip(e.project.claims, e.measured, strict=False)), **words
            )
            for e in exhibits
        },
        MARK: "{}\n",
    }
    if target.exists():  # only now, when every page is made
        shutil.rmtree(target)
    target.mkdir(parents=True)
    for name, text in pages.items():
        (target / name).write_text(text, encoding="utf-8")
    for exhibit in exhibits:
        for name, content in exhibit.files().items():
            (target / name).write_bytes(content)
    return [target / name for name in pages if name.endswith(".html")]
