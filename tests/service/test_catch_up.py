"""The gradebook's writer finds what was recorded and not written: after failures, restarts and a kill."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from autograder.api import Ledger
from hub.nbgrader_plugins.gradebook import GradebookError
from hub.service.gradebook import WRITTEN, GradebookWriter, Written

from .conftest import SLUG, House, verdict

WAIT_S = 20


class Book:
    """Stands for nbgrader: a gradebook file, and a list of what was brought."""

    def __init__(self, folder: Path, failures: int = 0) -> None:
        self.folder, self.failures = folder, failures
        self.brought: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()

    def __call__(self, folder: Path, assignment: str, student: str, told: dict[str, str]) -> str:
        """One step, or a failure while there are some left."""
        (self.folder / "gradebook.db").touch()
        self.brought.put((assignment, student))
        if self.failures:
            self.failures -= 1
            raise GradebookError("nbgrader is not well")
        return "done"

    def next(self) -> tuple[str, str]:
        """Waits for one."""
        return self.brought.get(timeout=WAIT_S)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Empty."""
    return Ledger.open("", tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A course directory."""
    made = tmp_path / "course"
    made.mkdir()
    return made


@pytest.fixture
def writer(ledger: Ledger, folder: Path) -> Callable[..., GradebookWriter]:
    """Makes one that compares only when told."""

    def make(book: Book, every_s: float = 3600.0) -> GradebookWriter:
        return GradebookWriter(ledger, folder, "http://x/", "course", every_s=every_s, rest_s=(0.01, 0.05), bring=book)

    return make


def hand_in(ledger: Ledger, student: str = "ada", content: bytes = b"1", **about: float) -> int:
    """Handed in and graded, with nobody told."""
    receipt = ledger.submit(
        course="course", assignment=SLUG, student=student, name="a.tar.gz", content=content, channel="exchange"
    )
    held = ledger.lease("test", free=8, hold_s=60)
    assert held is not None
    assert ledger.record(held, verdict(held.name, held.sha256, **about).to_json())
    return receipt.submission


def waiting(ledger: Ledger, *, hardware: bool) -> None:
    """The next grading, by a machine with or without a GPU."""
    held = ledger.lease("test", free=8, hold_s=60, gpu=hardware)
    assert held is not None
    body = verdict(held.name, held.sha256).to_json()
    if not hardware:
        body["criteria"][-1] |= {"points": 0, "verdict": "waiting-for-hardware", "evidence": {}}
    assert ledger.record(held, body)


def settled(writer: GradebookWriter) -> None:
    """The writer ends with nothing owed."""
    writer.__exit__()
    assert writer.owed() == {}


def test_what_was_recorded_before_the_start_is_written_once(ledger: Ledger, folder: Path, writer: Callable) -> None:
    """And a second start finds nothing to do."""
    hand_in(ledger)
    hand_in(ledger, "ben")
    book = Book(folder)
    with writer(book) as first:
        assert {book.next(), book.next()} == {(SLUG, "ada"), (SLUG, "ben")}
    settled(first)
    with writer(book) as second:
        hand_in(ledger, "cem")
        second.recorded(3)
        assert book.next() == (SLUG, "cem")
    settled(second)
    assert book.brought.empty()


def test_staff_read_what_cannot_be_written(house: House, folder: Path, writer: Callable) -> None:
    """With the last words of the failure, until it is written."""
    hand_in(house.ledger)
    book = Book(folder, failures=1)
    one = GradebookWriter(house.ledger, folder, "http://x/", "course", rest_s=(3600.0, 3600.0), bring=book)
    house.app.state.desk = replace(house.app.state.desk, unwritten=one.problems)
    with one:
        book.next()
        one._thread.join(0.2)
    text = house.page("tom", "staff").text
    assert f"{SLUG} of ada, tries so far: 1. nbgrader is not well" in text
    assert one.problems() and "Not in the gradebook" not in house.page("tom", "staff/queue").text
    one._one((SLUG, "ada"), one.owed()[(SLUG, "ada")])
    assert one.problems() == [] and "Not in the gradebook" not in house.page("tom", "staff").text


def test_a_failure_is_tried_again(ledger: Ledger, folder: Path, writer: Callable) -> None:
    """Until it works, and not after that."""
    hand_in(ledger)
    book = Book(folder, failures=3)
    with writer(book) as one:
        for _ in range(4):
            assert book.next() == (SLUG, "ada")
    settled(one)
    assert book.brought.empty() and book.failures == 0


def test_one_that_fails_holds_nobody_up(ledger: Ledger, folder: Path, writer: Callable) -> None:
    """And waits longer each time."""
    hand_in(ledger)
    book = Book(folder, failures=10**6)
    one = writer(book)
    with one:
        for _ in range(6):
            book.next()
    ((_, often, _),) = one._failures.values()
    assert often >= 5 and list(one.owed()) == [(SLUG, "ada")]
    one._rest_s = (3.0, 900.0)
    waits = []
    for _ in range(12):
        one._one((SLUG, "ada"), "m")
        waits.append(one._failures[SLUG, "ada"][2])
    gaps = [b - a for a, b in pairwise(waits)]
    assert gaps[0] == pytest.approx(3, abs=0.5) and gaps[4] > 40 and gaps[-1] < 1


def test_an_error_that_nobody_foresaw_ends_no_writer(ledger: Ledger, folder: Path, writer: Callable) -> None:
    """Neither in a writing nor in a comparison: nobody would start it again."""
    hand_in(ledger)
    book = Book(folder)
    one = writer(book, every_s=0.02)
    bring, owed, problems = one._bring, one.owed, [RuntimeError("no more"), ZeroDivisionError("a comparison")]

    def once(*given: object) -> str:
        if problems and isinstance(problems[0], RuntimeError):
            raise problems.pop(0)
        return str(bring(*given))

    def compared() -> dict:
        if len(problems) == 1:
            raise problems.pop()
        return dict(owed())

    one._bring, one.owed = once, compared
    with one:
        assert book.next() == (SLUG, "ada")
    assert not problems


def test_what_another_process_did_is_found(ledger: Ledger, folder: Path, writer: Callable) -> None:
    """A review, a regrade that was made live, a grade from elsewhere: nobody calls, the comparison sees it."""
    identity = hand_in(ledger)
    book = Book(folder)
    with writer(book, every_s=0.02) as one:
        book.next()
        ledger.review(identity, by="tom", points=3, reason="r")
        assert book.next() == (SLUG, "ada")
        ledger.replace_grade(identity, verdict("a", "0" * 64, points=1).to_json(), by="tom")
        assert book.next() == (SLUG, "ada")
    settled(one)
    assert book.brought.empty()


@pytest.mark.parametrize("loss", ["file", "damage", "gradebook"])
def test_a_lost_gradebook_is_written_anew(ledger: Ledger, folder: Path, writer: Callable, loss: str) -> None:
    """Also when only the note of what was written is damaged: twice is the same as once."""
    hand_in(ledger)
    book = Book(folder)
    with writer(book) as one:
        book.next()
    settled(one)
    if loss == "damage":
        (folder / WRITTEN).write_text('[["a"')
    else:
        (folder / (WRITTEN if loss == "file" else "gradebook.db")).unlink()
    with writer(book) as one:
        assert book.next() == (SLUG, "ada")
    settled(one)


def test_a_grade_that_comes_while_one_is_written_is_owed(ledger: Ledger, folder: Path, writer: Callable) -> None:
    """The mark of before is noted, so that the newer one is found."""
    identity = hand_in(ledger)
    one = writer(Book(folder))
    mark = one.owed()[SLUG, "ada"]
    one._bring = lambda *_: [ledger.review(identity, by="t", points=1, reason="r"), (folder / "gradebook.db").touch()][
        0
    ]
    one._one((SLUG, "ada"), mark)
    assert one.owed() == {(SLUG, "ada"): ledger.marks("course")[SLUG, "ada"]} and one.owed()[SLUG, "ada"] != mark


_VICTIM = """
import os, signal, sys
from pathlib import Path
from autograder.api import Ledger
from hub.service.gradebook import GradebookWriter
from tests.service.test_catch_up import hand_in
state, moment = Path(sys.argv[1]), sys.argv[2]
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
ledger = Ledger.open("", state)
hand_in(ledger)
if moment == "recorded":
    die()
def bring(folder, assignment, student, told):
    (folder / "gradebook.db").touch()
    if moment == "writing":
        die()
    return "done"
writer = GradebookWriter(ledger, state / "course", "http://x/", "course", bring=bring)
writer._written.add = die
with writer:
    signal.pause()
"""


@pytest.mark.parametrize("moment", ["recorded", "writing", "written"])
def test_a_kill_loses_no_entry(ledger: Ledger, folder: Path, writer: Callable, tmp_path: Path, moment: str) -> None:
    """Right after recording, in the middle of writing, and before the note that it was written."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", _VICTIM, str(tmp_path), moment]
    died = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert Written(folder).read() == {}
    book = Book(folder)
    with writer(book) as one:
        assert book.next() == (SLUG, "ada")
    settled(one)


def test_what_waits_for_a_gpu_is_in_the_gradebook_and_comes_again(
    ledger: Ledger, folder: Path, writer: Callable
) -> None:
    """First what could be said without one, then the whole verdict."""
    ledger.submit(
        course="course", assignment=SLUG, student="ada", name="a.tar.gz", content=b"1", channel="exchange", gpu=True
    )
    waiting(ledger, hardware=False)
    book = Book(folder)
    with writer(book, every_s=0.02) as one:
        assert book.next() == (SLUG, "ada")
        ledger.hardware(gpu=True)
        waiting(ledger, hardware=True)
        assert book.next() == (SLUG, "ada")
    settled(one)
