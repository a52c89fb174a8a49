"""What the gradebook's writer does with a changed assignment before it writes a grade: here without service and students."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Grade, Gradebook

from hub.nbgrader_plugins import built, gradebook, renew
from hub.nbgrader_plugins.gradebook import interface, prepare
from hub.nbgrader_plugins.source import PREFIX

from .conftest import COURSE, SLUG

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # nbgrader's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.slow,
]
FIRST, SECOND, THIRD = (f"{PREFIX}{name}" for name in ("examples", "formula", "decaying-mode"))


class Term:
    """A course whose assignment two people handed in."""

    def __init__(self, folder: Path) -> None:
        self.course, self.root = folder / "assignments", folder / "course"
        shutil.copytree(COURSE / SLUG, self.course / SLUG)
        self.root.mkdir()
        self.api = interface(self.root)
        self.source = self.root / "source" / SLUG / f"{SLUG}.ipynb"

    def begin(self) -> None:
        assert prepare(self.api, SLUG) == ""
        with self.book() as book:
            for name in ("ada", "bob"):
                book.update_or_create_student(name)
                book.add_submission(SLUG, name)

    def book(self) -> Any:
        return Gradebook(f"sqlite:///{self.root}/gradebook.db", "course")

    def edit(self, change: Callable[[str], str]) -> None:
        path = self.course / SLUG / "assignment.toml"
        path.write_text(change(path.read_text()))

    def lower(self) -> None:
        self.edit(lambda text: re.sub(r'(id = "formula"\n(?:(?!\[).*\n)*?points = )\d+', r"\g<1>4", text))

    def remove(self, name: str) -> None:
        self.edit(lambda text: re.sub(rf'\[\[criteria\]\]\nid = "{name}"\n(?:(?!\[).*\n)*', "", text))

    def more(self) -> None:
        one = '[[criteria]]\nid = "new"\ntitle = "N"\npoints = 8\nvisibility = "hidden"\nhint = "H."\n\n'
        self.edit(lambda text: text.replace("[[criteria]]", f"{one}[[criteria]]", 1))

    def most(self) -> dict[str, float]:
        """Points of each graded cell, of which everybody has a row."""
        with self.book() as book:
            cells = book.find_notebook(SLUG, SLUG).grade_cells
            for cell in cells:
                assert book.db.query(Grade).filter(Grade.cell_id == cell.id).count() == 2, cell.name
            return {cell.name: cell.max_score for cell in cells}

    def credit(self, cell: str, student: str, points: float) -> None:
        with self.book() as book:
            book.find_grade(cell, SLUG, SLUG, student).extra_credit = points
            book.db.commit()

    def credits(self) -> dict[tuple[str, str], float]:
        with self.book() as book:
            found = book.db.query(Grade).filter(Grade.extra_credit.is_not(None))
            return {(grade.notebook.student.id, grade.name): grade.extra_credit for grade in found}

    def known(self) -> built.Built:
        found = built.read(self.root, SLUG)
        assert found is not None
        return found


@pytest.fixture
def term(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Term:
    """One that is prepared and handed in."""
    made = Term(tmp_path)
    monkeypatch.setenv("AUTOGRADER_COURSE_FOLDER", str(made.course))
    made.begin()
    return made


def ask(path: Path) -> None:
    """A written question of the staff's own."""
    notebook = json.loads(path.read_text())
    about = {"grade": True, "solution": True, "locked": False, "task": False, "schema_version": 3, "points": 5}
    cell = {
        "cell_type": "markdown",
        "id": "own",
        "source": "Why?",
        "metadata": {"nbgrader": about | {"grade_id": "own"}},
    }
    path.write_text(json.dumps(notebook | {"cells": [*notebook["cells"], cell]}))


def test_what_was_there_before_the_record_is_taken_as_it_is(term: Term) -> None:
    """A question that staff added in source/ stays, is refused with words by a later change, and goes when they say so."""
    with term.book() as book:
        for name in ("ada", "bob"):
            book.remove_submission(SLUG, name)
    ask(term.source)
    assert term.api.generate_assignment(SLUG, force=True)["success"]
    with term.book() as book:
        for name in ("ada", "bob"):
            book.add_submission(SLUG, name)
    (term.root / built.NAME.format(SLUG)).unlink()
    assert prepare(term.api, SLUG) == "" and term.most()["own"] == 5
    assert term.known().token == "" and term.known().place == FIRST  # nobody has to be written again
    term.lower()
    for _ in range(2):
        assert "the cell own, which is not the course's" in prepare(term.api, SLUG)
        assert term.most()["own"] == 5 and term.most()[SECOND] == 13 and "Why?" in term.source.read_text()
    notebook = json.loads(term.source.read_text())
    term.source.write_text(json.dumps(notebook | {"cells": notebook["cells"][:-1]}))
    assert prepare(term.api, SLUG) == ""
    assert "own" not in term.most() and term.most()[SECOND] == 4 and term.known().token


def test_a_file_of_the_staff_s_in_source_holds_up_the_change_and_no_grade(term: Term) -> None:
    """It is said, and the record stays what it was."""
    before = term.known()
    (term.source.parent / "notes.txt").write_text("mine")
    term.lower()
    assert "notes.txt" in prepare(term.api, SLUG)
    assert term.known() == before and term.most()[SECOND] == 13
    (term.source.parent / "notes.txt").unlink()
    assert prepare(term.api, SLUG) == ""
    assert term.most()[SECOND] == 4 and term.known().token != before.token


def test_a_change_of_words_has_nobody_written_again(term: Term) -> None:
    """Points are what they were, and whoever graded by hand is not asked to look again."""
    before = term.known()
    path = term.course / SLUG / f"{SLUG}.ipynb"
    path.write_text(
        path.read_text().replace(
            '"cells": [', '"cells": [{"cell_type": "markdown", "id": "n", "metadata": {}, "source": "N"},', 1
        )
    )
    assert prepare(term.api, SLUG) == ""
    assert term.known().stamp != before.stamp and term.known().token == before.token


@pytest.mark.parametrize("step", ["rows", "generate"])
def test_a_change_that_was_interrupted_is_finished_by_the_next_try(
    term: Term, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is in the gradebook, or all; going back to what was before is a change as well."""

    def broken(*_: object) -> None:
        raise RuntimeError("the lights went out")

    term.credit(FIRST, "ada", -10.0)
    before = term.known()
    term.more()
    term.remove("examples")
    with monkeypatch.context() as patch:
        if step == "rows":
            patch.setattr(renew._Place, "add", broken)
        else:
            patch.setattr(gradebook, "_step", broken)
        with pytest.raises(RuntimeError, match="lights"):
            prepare(term.api, SLUG)
    assert (f"{PREFIX}new" in term.most()) is (step == "generate")
    assert term.known().stamp == "" and term.known().token == before.token
    assert prepare(term.api, SLUG) == ""
    assert term.most()[f"{PREFIX}new"] == 8 and term.most()[FIRST] == 0
    assert term.credits() == {("ada", FIRST): -10.0} and term.known().place == FIRST  # once, and where it was
    assert term.known().token not in ("", before.token)


def test_rows_that_are_missing_are_added(term: Term) -> None:
    """As an interrupted change of an earlier version left them: the cell is there, nobody's row is."""
    with term.book() as book:
        cell = book.find_grade_cell(THIRD, SLUG, SLUG)
        book.db.query(Grade).filter(Grade.cell_id == cell.id).delete()
        book.db.commit()
    term.lower()
    assert prepare(term.api, SLUG) == "" and THIRD in term.most()


def test_reviews_get_no_place_where_a_person_gave_extra_credit(term: Term) -> None:
    """Where the first criterion leaves, the next one that holds nobody's follows; while it is there, it stays."""
    assert term.known().place == FIRST
    term.credit(SECOND, "bob", 2.0)
    term.more()
    assert prepare(term.api, SLUG) == "" and term.known().place == FIRST
    term.remove("examples")
    term.remove("new")
    assert prepare(term.api, SLUG) == ""
    assert FIRST not in term.most() and term.known().place == THIRD
    assert term.credits() == {("bob", SECOND): 2.0}


def test_a_damaged_record_is_a_change(tmp_path: Path) -> None:
    """Nothing of it is believed; an older one is a stamp alone."""
    path = tmp_path / built.NAME.format(SLUG)
    assert built.read(tmp_path, SLUG) is None
    path.write_text("0123456789abcdef")
    assert built.read(tmp_path, SLUG) == built.Built("0123456789abcdef")
    whole = {"stamp": "", "token": "", "place": "", "cells": {}}
    for wrong in (
        "{",
        "[1]",
        "{}x",
        *(json.dumps(whole | w) for w in ({"token": "../x"}, {"cells": [1]}, {"place": 1})),
    ):
        path.write_text(wrong)
        assert built.read(tmp_path, SLUG) == built.Built()
    kept = built.Built("0123456789abcdef", "01234567", FIRST, {FIRST: 13.0, "heading": None})
    built.write(tmp_path, SLUG, kept)
    assert built.read(tmp_path, SLUG) == kept
