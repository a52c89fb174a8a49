"""A TA's review, and a writer that was killed: both reach nbgrader's own gradebook."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from hub.nbgrader_plugins.gradebook import sync
from hub.nbgrader_plugins.marks import TermExport
from hub.nbgrader_plugins.source import PREFIX
from hub.service.gradebook import WRITTEN, GradebookWriter

from .conftest import SLUG, Running
from .test_gradebook import course_dir, scores, submit  # noqa: F401  # a fixture among them

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # nbgrader's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.slow,
]


def total(folder: Path, student: str) -> float:
    """What nbgrader's exports say."""
    with Gradebook(f"sqlite:///{folder}/gradebook.db", "course") as gradebook:
        return float(gradebook.find_submission(SLUG, student).score)


def decide(folder: Path, cell: str, points: float | None) -> None:
    """As a TA does in Formgrader."""
    with Gradebook(f"sqlite:///{folder}/gradebook.db", "course") as gradebook:
        gradebook.find_grade(cell, SLUG, SLUG, "ada").manual_score = points
        gradebook.db.commit()


def test_a_review_is_the_total_and_leaves_with_its_submission(
    service: Running,
    person: Callable[[str], Any],
    course_dir: Path,  # noqa: F811
) -> None:
    """Criteria keep the judge's points, the difference is extra credit, the student reads the reason."""
    ada = submit(person, "ada")
    grade = service.record(lambda c: c.points / 2)
    (entry,) = service.ledger.entries("course")
    service.ledger.review(entry.id, by="tess", points=grade["score"] - 7.5, reason="a <b>fair</b> deduction")
    for _ in range(2):  # twice is the same as once
        sync(course_dir, SLUG, "ada", service.environment("tess"))
        assert total(course_dir, "ada") == pytest.approx(grade["score"] - 7.5)
    one = grade["criteria"][1]
    decide(course_dir, PREFIX + one["id"], one["max_points"])
    assert total(course_dir, "ada") == pytest.approx(grade["score"] - 7.5 + one["max_points"] / 2)  # nbgrader's own sum
    sync(course_dir, SLUG, "ada", service.environment("tess"))
    assert total(course_dir, "ada") == pytest.approx(grade["score"] - 7.5)
    decide(course_dir, PREFIX + one["id"], None)
    sync(course_dir, SLUG, "ada", service.environment("tess"))
    found = scores(course_dir, "ada")
    for criterion in grade["criteria"]:
        assert found[PREFIX + criterion["id"]] == (pytest.approx(criterion["max_points"] / 2), False)
    ada.start("FetchFeedback")
    (page,) = (ada.home / SLUG / "feedback").rglob("*.html")
    assert "a &lt;b&gt;fair&lt;/b&gt; deduction" in page.read_text()

    submit(person, "ada", lambda cells: [*cells, {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "m"}])
    service.record(lambda c: c.points)
    sync(course_dir, SLUG, "ada", service.environment("tess"))
    assert total(course_dir, "ada") == pytest.approx(grade["max_score"])


def test_a_review_counts_where_the_grader_gave_up(
    service: Running,
    person: Callable[[str], Any],
    course_dir: Path,  # noqa: F811
) -> None:
    """In the gradebook and its feedback, as on the student's page and in the files."""
    submit(person, "ada")
    held = service.ledger.lease("test", free=64, hold_s=60.0)
    assert held is not None and service.ledger.escalate(held, "the node burned down")
    writer = GradebookWriter(service.ledger, course_dir, service.url, "course")
    assert writer.owed() == {}
    service.ledger.review(held.submission, by="tess", points=12.5, reason="read by a person")
    assert list(writer.owed()) == [(SLUG, "ada")]
    assert "in the gradebook" in sync(course_dir, SLUG, "ada", service.environment("tess"))
    assert total(course_dir, "ada") == pytest.approx(12.5)
    assert not any(flag for name, (_, flag) in scores(course_dir, "ada").items() if name.startswith(PREFIX))
    (page,) = (course_dir / "feedback" / "ada" / SLUG).rglob("*.html")
    assert "read by a person" in page.read_text() and "burned down" not in page.read_text()


def test_a_new_writer_finds_what_was_recorded_and_never_written(
    service: Running,
    person: Callable[[str], Any],
    course_dir: Path,  # noqa: F811
) -> None:
    """Nobody told it: the process that recorded the grade is gone."""
    submit(person, "ada")
    grade = service.record(lambda c: c.points / 2)
    assert not (course_dir / WRITTEN).exists()
    writer = GradebookWriter(service.ledger, course_dir, service.url, "course", every_s=0.1)
    writer._told |= service.environment("tess")
    until = time.monotonic() + 120
    with writer:
        while writer.owed() and time.monotonic() < until:
            writer._thread.join(0.1)
    assert writer.owed() == {} and total(course_dir, "ada") == pytest.approx(grade["score"])


def test_what_being_late_costs_is_nbgrader_s_penalty_and_leaves_with_an_extension(
    service: Running,
    person: Callable[[str], Any],
    course_dir: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Formgrader and every export see it; the term's table counts it."""
    now = datetime.now(UTC)
    calendar = tmp_path / "course.toml"
    calendar.write_text(
        'title = "T"\nterm = "t"\ntimezone = "UTC"\nshares = { assignments = 0.5, project = 0.5 }\n'
        f"[assignments]\n{SLUG} = {{ released = 2020-01-01, due = {(now - timedelta(hours=30)).isoformat()} }}\n"
    )
    monkeypatch.setenv("AUTOGRADER_TERM", str(calendar))
    submit(person, "ada")
    grade = service.record(lambda c: c.points)
    writer = GradebookWriter(
        service.ledger, course_dir, service.url, "course", every_s=0.1, deadlines=service.desk.deadlines
    )
    writer._told |= service.environment("tess")

    def penalty() -> tuple[float, float]:
        until = time.monotonic() + 120
        while writer.owed() and time.monotonic() < until:
            time.sleep(0.1)
        with Gradebook(f"sqlite:///{course_dir}/gradebook.db", "course") as gradebook:
            found = gradebook.find_submission(SLUG, "ada")
            assert gradebook.find_assignment(SLUG).duedate is not None
            TermExport(to=str(tmp_path / "marks.csv")).export(gradebook)
            marks = (tmp_path / "marks.csv").read_text().splitlines()
            assert marks[0] == f"student,{SLUG} (%),assignments (%),of the course"
            return float(found.late_submission_penalty), float(marks[1].split(",")[3])

    attainable = grade["max_score"] + 15
    with writer:
        assert penalty() == (pytest.approx(20), pytest.approx(50 * (grade["max_score"] - 20) / attainable, abs=0.01))
        service.ledger.extend("course", SLUG, "ada", until=now + timedelta(days=1), by="tess")
        assert penalty() == (0, pytest.approx(50 * grade["max_score"] / attainable, abs=0.01))
