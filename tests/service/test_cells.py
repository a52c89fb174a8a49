"""Runs of notebooks' cells: once, kept, and never in the way of points."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from autograder.api import Ledger, Shown
from hub.service.cells import CellRuns
from hub.service.gradebook import WITH_CELLS, GradebookWriter

from .conftest import SLUG, FakeGrader, House
from .test_catch_up import WAIT_S, Book, folder, hand_in, ledger, settled  # noqa: F401  # two are fixtures

SHOWN = Shown("a.ipynb", ()).to_json()


class Slow(FakeGrader):
    """Answers when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def cells(self, submission: int, limit_s: float) -> dict[str, Any]:
        """After a while."""
        assert self.go.wait(WAIT_S)
        return super().cells(submission, limit_s)


@pytest.fixture
def grader() -> Slow:
    """Has something to show."""
    made = Slow()
    made.shown = SHOWN
    return made


def test_a_run_happens_once_and_is_kept(ledger: Ledger, grader: Slow) -> None:  # noqa: F811
    """Whoever asks meanwhile waits for the same; who asks later, also after a restart, gets what is stored."""
    submission = hand_in(ledger)
    runs = CellRuns(ledger, grader, "course")
    first, second = runs.ask(submission), runs.ask(submission)
    assert first is second and runs.stored(submission) is None
    grader.go.set()
    assert first.result(WAIT_S) and runs.stored(submission) is not None
    again = CellRuns(ledger, grader, "course")
    assert again.settled(submission) and again.ask(submission).result(WAIT_S)
    assert grader.runs == [submission]


def test_a_failure_of_ours_is_not_kept_and_tried_later(ledger: Ledger, grader: Slow) -> None:  # noqa: F811
    """But not at once: somebody who asks in a loop does not keep nodes busy."""
    now = [100.0]
    submission = hand_in(ledger)
    runs = CellRuns(ledger, grader, "course", again_s=10.0, clock=lambda: now[0])
    grader.go.set()
    grader.shown = None
    assert not runs.ask(submission).result(WAIT_S) and runs.settled(submission)
    assert not runs.ask(submission).result(WAIT_S) and len(grader.runs) == 1
    now[0] += 11
    grader.shown = SHOWN
    assert runs.ask(submission).result(WAIT_S) and len(grader.runs) == 2


def test_points_wait_a_while_for_cells_and_cells_follow(
    ledger: Ledger,  # noqa: F811
    folder: Path,  # noqa: F811
    grader: Slow,
) -> None:
    """In time: written once, with them. Too late: points first, and all once more when they come."""
    book = Book(folder)
    hand_in(ledger)
    runs = CellRuns(ledger, grader, "course", patience_s=1e9)

    def writer(runs: CellRuns) -> GradebookWriter:
        return GradebookWriter(ledger, folder, "http://x/", "course", every_s=3600.0, bring=book, cells=runs)

    with writer(runs) as one:
        threading.Event().wait(0.2)
        assert book.brought.empty(), "it waits for the run"
        grader.go.set()
        assert book.next() == (SLUG, "ada")
    settled(one)
    assert book.brought.empty() and one._written.read()[SLUG, "ada"].endswith(WITH_CELLS)
    grader.go.clear()
    hand_in(ledger, "ben")
    with writer(CellRuns(ledger, grader, "course", patience_s=-1.0)) as two:
        assert book.next() == (SLUG, "ben")
        while (SLUG, "ben") not in two._written.read():
            threading.Event().wait(0.01)
        grader.go.set()
        assert book.next() == (SLUG, "ben")
    settled(two)
    assert book.brought.empty()


def test_staff_are_told_why_there_is_nothing(house: House) -> None:
    """A sentence, and the run once it is there."""
    submission = house.submit()
    answer = house.api("tom", "GET", f"api/exchange/course/cells/{submission}", params={"wait": 5})
    assert answer.status_code == 404 and "failed on our side" in answer.json()["detail"]
    house.ledger.put_artefact("course", "cells", SLUG, "ada", str(submission), b'{"format": 1}', "grader")
    assert house.api("tom", "GET", f"api/exchange/course/cells/{submission}").json() == {"format": 1}
    assert house.api("ada", "GET", f"api/exchange/course/cells/{submission}").status_code == 403
