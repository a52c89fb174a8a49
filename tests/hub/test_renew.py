"""An assignment that is changed after its release, with submissions: nbgrader by itself refuses, or keeps what was."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from hub.nbgrader_plugins.gradebook import GradebookError, sync
from hub.nbgrader_plugins.source import PREFIX, plan
from hub.service.gradebook import GradebookWriter

from .conftest import COURSE, SLUG, Running
from .test_gradebook import scores, submit
from .test_gradebook_review import decide, total
from .work import made_grade

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # nbgrader's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.slow,
]
NEW = """[[criteria]]
id = "brand-new"
title = "Nobody thought of it before"
points = 8
visibility = "hidden"
hint = "Think of it."

"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course that may be changed."""
    folder = tmp_path / "assignments"
    shutil.copytree(COURSE / SLUG, folder / SLUG)
    return folder


def change(course: Path, *, without: tuple[str, ...], points: dict[str, int]) -> None:
    """Takes criteria out, gives others other points, and puts a new one before all."""
    path = course / SLUG / "assignment.toml"
    text = path.read_text()
    for name in without:
        text = re.sub(rf'\[\[criteria\]\]\nid = "{name}"\n(?:(?!\[).*\n)*', "", text)
    for name, worth in points.items():
        text = re.sub(rf'(id = "{name}"\n(?:(?!\[).*\n)*?points = )\d+', rf"\g<1>{worth}", text)
    path.write_text(text.replace("[[criteria]]", f"{NEW}[[criteria]]", 1))


def record(service: Running, course: Path, share: float) -> None:
    """Grades what is next by the assignment as it is now."""
    held = service.ledger.lease("test", free=64, hold_s=60.0)
    assert held is not None
    assert service.ledger.record(held, made_grade(lambda c: c.points * share, course=course).to_json())


def again(cells: list[Any]) -> list[Any]:
    """A newer version."""
    return [*cells, {"cell_type": "markdown", "id": f"more-{len(cells)}", "metadata": {}, "source": "more"}]


def highest(folder: Path) -> dict[str, float]:
    """Points of each graded cell."""
    with Gradebook(f"sqlite:///{folder}/gradebook.db", "course") as gradebook:
        return {c.name: c.max_score for c in gradebook.find_notebook(SLUG, SLUG).grade_cells}


def test_a_changed_assignment_reaches_the_gradebook(
    service: Running, person: Callable[[str], Any], course: Path, tmp_path: Path
) -> None:
    """Points raised, a criterion more, two fewer: grades and feedback arrive, and nothing that a person gave is lost."""
    folder, here = tmp_path / "course", {"AUTOGRADER_COURSE_FOLDER": str(course)}
    sync(folder, SLUG, "", service.environment("ines") | here)
    told = service.environment("tess") | here
    for name in ("ada", "bob"):
        submit(person, name)
        record(service, course, 1.0)
    (ada, _) = sorted(service.ledger.entries("course"), key=lambda e: e.student)
    service.ledger.review(ada.id, by="tess", points=40.0, reason="copied")
    for name in ("ada", "bob"):
        sync(folder, SLUG, name, told)
    decide(folder, f"{PREFIX}edge-cases", 5.0)
    change(course, without=("maximum-principle", "edge-cases"), points={"formula": 19})

    sync(folder, SLUG, "bob", told)  # of the older assignment
    found, most = scores(folder, "bob"), highest(folder)
    assert most[f"{PREFIX}formula"] == 19 and most[f"{PREFIX}brand-new"] == 8
    assert f"{PREFIX}maximum-principle" not in most and most[f"{PREFIX}edge-cases"] == 0  # a person's points lie there
    assert found[f"{PREFIX}formula"] == (13.0, False)
    assert found[f"{PREFIX}brand-new"] == (0.0, True)  # not all of it, as for a test without output
    assert found[f"{PREFIX}edge-cases"] == (0.0, False)
    with Gradebook(f"sqlite:///{folder}/gradebook.db", "course") as gradebook:
        assert gradebook.find_grade(f"{PREFIX}edge-cases", SLUG, SLUG, "ada").manual_score == 5.0

    submit(person, "ada", again)
    record(service, course, 1.0)
    assert "in the gradebook" in sync(folder, SLUG, "ada", told)
    found = scores(folder, "ada")
    assert found[f"{PREFIX}formula"] == (19.0, False) and found[f"{PREFIX}brand-new"] == (8.0, False)
    assert total(folder, "ada") == 19 + 8 + 10 + 8 + 40 + 5  # the review's deduction went with its submission
    assert list((folder / "feedback" / "ada" / SLUG).glob("*.html"))


def test_whoever_hands_in_nothing_new_is_written_again(
    service: Running, person: Callable[[str], Any], course: Path, tmp_path: Path
) -> None:
    """Points lowered, a criterion less: their marks, and what a review made of them, are of the assignment as it is now."""
    folder, here = tmp_path / "course", {"AUTOGRADER_COURSE_FOLDER": str(course)}

    def settle() -> None:
        writer = GradebookWriter(service.ledger, folder, service.url, "course", every_s=0.1)
        writer._told |= service.environment("tess") | here
        until = time.monotonic() + 240
        with writer:
            while writer.owed() and time.monotonic() < until:
                time.sleep(0.1)
        assert writer.owed() == {} and writer.problems() == []

    sync(folder, SLUG, "", service.environment("ines") | here)
    for name in ("ada", "bob"):
        submit(person, name)
        record(service, course, 1.0)
    (ada, _) = sorted(service.ledger.entries("course"), key=lambda e: e.student)
    service.ledger.review(ada.id, by="tess", points=40.0, reason="copied")
    settle()
    assert (total(folder, "ada"), total(folder, "bob")) == (40, 13 + 10 + 6 + 8 + 8 + 40)
    change(course, without=("maximum-principle",), points={"formula": 4})
    submit(person, "bob", again)
    record(service, course, 1.0)
    settle()
    assert scores(folder, "ada")[f"{PREFIX}formula"] == (4.0, False)
    assert (total(folder, "ada"), total(folder, "bob")) == (40, 4 + 10 + 8 + 8 + 40 + 8)


def test_students_get_the_changed_assignment_when_it_is_released_again(
    service: Running, person: Callable[[str], Any], course: Path, tmp_path: Path
) -> None:
    """Also where the writer of the gradebook was the first to see the change; what is the same is not sent again."""
    folder, here = tmp_path / "course", {"AUTOGRADER_COURSE_FOLDER": str(course)}
    ines = service.environment("ines") | here
    assert SLUG in sync(folder, SLUG, "", ines)
    assert "nothing new" in sync(folder, SLUG, "", ines)
    submit(person, "ada")
    path = course / SLUG / f"{SLUG}.ipynb"
    path.write_text(
        path.read_text().replace(
            '"cells": [', '"cells": [{"cell_type": "markdown", "id": "note", "metadata": {}, "source": "Mended."},', 1
        )
    )
    record(service, course, 1.0)
    sync(folder, SLUG, "ada", service.environment("tess") | here)
    assert SLUG in sync(folder, SLUG, "", ines)
    assert "nothing new" in sync(folder, SLUG, "", ines)
    bob = person("bob")
    bob.start("FetchAssignment")
    assert "Mended." in (bob.home / SLUG / f"{SLUG}.ipynb").read_text()


def test_an_assignment_in_disorder_keeps_nobody_from_their_points(
    service: Running, person: Callable[[str], Any], course: Path, tmp_path: Path
) -> None:
    """While somebody edits it, or once it is no longer given, what is there counts."""
    folder, here = tmp_path / "course", {"AUTOGRADER_COURSE_FOLDER": str(course)}
    sync(folder, SLUG, "", service.environment("ines") | here)
    submit(person, "ada")
    record(service, course, 1.0)
    (course / SLUG / "assignment.toml").write_text("title = ")
    said = sync(folder, SLUG, "ada", service.environment("tess") | here)
    assert "in the gradebook\n" in said and "is left as it was" in said
    assert scores(folder, "ada")[f"{PREFIX}formula"] == (13.0, False)


def test_staff_read_what_is_left_as_it_was(service: Running, tmp_path: Path) -> None:
    """Until a grade is written by what the course says."""
    said = ["done\nheat is left as it was: why", "done"]
    writer = GradebookWriter(service.ledger, tmp_path, "", "course", bring=lambda *_: said.pop(0))
    writer._one((SLUG, "ada"), "1::")
    assert writer.problems() == ["heat is left as it was: why"]
    writer._one((SLUG, "bob"), "2::")
    assert writer.problems() == []


def test_a_cell_that_a_person_graded_does_not_change_its_kind(
    service: Running, person: Callable[[str], Any], course: Path, tmp_path: Path
) -> None:
    """The points would be lost; the sentence says what to do."""
    folder, here = tmp_path / "course", {"AUTOGRADER_COURSE_FOLDER": str(course)}
    sync(folder, SLUG, "", service.environment("ines") | here)
    submit(person, "ada")
    record(service, course, 1.0)
    sync(folder, SLUG, "ada", service.environment("tess") | here)
    written = next(name for name in highest(folder) if not name.startswith(PREFIX))
    decide(folder, written, 3.0)
    path = course / SLUG / f"{SLUG}.ipynb"
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == written:
            cell["metadata"]["nbgrader"]["grade"] = False
    path.write_text(json.dumps(notebook))
    with pytest.raises(GradebookError, match=f"{written}.*another name"):
        sync(folder, SLUG, "ada", service.environment("tess") | here)
    with Gradebook(f"sqlite:///{folder}/gradebook.db", "course") as gradebook:
        assert gradebook.find_grade(written, SLUG, SLUG, "ada").manual_score == 3.0


def test_the_stamp_is_of_what_nbgrader_sees(course: Path) -> None:
    """Words and points change it; hidden checks do not, of which nothing is in nbgrader's folders."""
    first = plan(SLUG, course)[0]
    hidden = course / SLUG / "test_hidden.py"
    hidden.write_text(hidden.read_text() + "\n# more\n")
    assert plan(SLUG, course)[0] == first
    change(course, without=("edge-cases",), points={})
    assert plan(SLUG, course)[0] != first
