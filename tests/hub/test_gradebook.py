"""From a submission to nbgrader's gradebook and back to the student's folder, through nbgrader's own programs."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from autograder.api import load
from autograder.domain.verdict import Verdict
from hub.nbgrader_plugins.gradebook import GradebookError, sync
from hub.nbgrader_plugins.source import PREFIX, build

from .conftest import COURSE, SLUG, Running
from .work import made_grade

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # nbgrader's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.slow,
]
Make = Callable[[str], Any]


@pytest.fixture
def course_dir(service: Running, tmp_path: Path) -> Path:
    """A course that is seeded, released, and handed in by ada."""
    folder = tmp_path / "course"
    sync(folder, SLUG, "", service.environment("ines"))
    return folder


def scores(folder: Path, student: str, slug: str = SLUG) -> dict[str, tuple[float | None, bool]]:
    """Cell → (automatic points, whether a person must look)."""
    with Gradebook(f"sqlite:///{folder}/gradebook.db", "course") as gradebook:
        submission = gradebook.find_submission(slug, student)
        return {g.name: (g.auto_score, g.needs_manual_grade) for n in submission.notebooks for g in n.grades}


def submit(person: Make, name: str, edit: Callable[[list[Any]], list[Any]] = lambda cells: cells) -> Any:
    """Fetches, edits the cells, hands in."""
    student = person(name)
    if not (student.home / SLUG).exists():
        student.start("FetchAssignment")
    path = student.home / SLUG / f"{SLUG}.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"] = edit(notebook["cells"])
    path.write_text(json.dumps(notebook))
    student.start("Submit")
    return student


def test_the_source_folder_holds_nothing_hidden(tmp_path: Path) -> None:
    """One locked cell per criterion; no solution, no hidden check, no title or hint of one, no reference."""
    folder = build(SLUG, tmp_path, COURSE)
    assert not list(folder.rglob("test_hidden*")) and not list(folder.rglob("solutions"))
    notebook = json.loads((folder / f"{SLUG}.ipynb").read_text())
    assignment = load(COURSE / SLUG)
    points = {
        c["metadata"]["nbgrader"]["grade_id"]: c["metadata"]["nbgrader"]["points"]
        for c in notebook["cells"]
        if c["cell_type"] == "code" and c["metadata"].get("nbgrader", {}).get("grade")
    }
    assert points == {PREFIX + c.id: c.points for c in assignment.criteria}
    whole = "".join(p.read_text() for p in folder.rglob("*") if p.suffix in (".ipynb", ".toml", ".py"))
    for criterion in assignment.criteria:
        if not criterion.public:
            assert criterion.hint not in whole and criterion.title not in whole
    assert "BEGIN SOLUTION" not in whole


def test_formgrader_knows_from_the_first_day_when_it_is_due(service: Running, tmp_path: Path) -> None:
    """By the term's calendar, before anybody has handed in; a date that moves is corrected."""
    for day in ("2031-03-01", "2031-03-08"):
        (tmp_path / "course.toml").write_text(
            'title = "T"\nterm = "t"\ntimezone = "UTC"\nshares = { assignments = 0.5, project = 0.5 }\n'
            f"[assignments]\n{SLUG} = {{ released = 2031-02-01, due = {day}T12:00:00Z }}\n"
        )
        environment = service.environment("ines") | {"AUTOGRADER_TERM": str(tmp_path / "course.toml")}
        sync(tmp_path / "course", SLUG, "", environment)
        with Gradebook(f"sqlite:///{tmp_path}/course/gradebook.db", "course") as gradebook:
            assert str(gradebook.find_assignment(SLUG).duedate) == f"{day} 12:00:00"


def test_points_arrive_in_the_gradebook_and_feedback_at_the_student(
    service: Running, person: Make, course_dir: Path
) -> None:
    """Partial credit is kept, written answers wait for a person, and the report holds no seed."""
    ada = submit(person, "ada")
    grade = service.record(lambda c: c.points / 2)
    said = sync(course_dir, SLUG, "ada", service.environment("tess"))
    assert "in the gradebook" in said
    found = scores(course_dir, "ada")
    for criterion in grade["criteria"]:
        assert found[PREFIX + criterion["id"]] == (pytest.approx(criterion["max_points"] / 2), False)
    written = [name for name in found if not name.startswith(PREFIX)]
    assert len(written) == 3 and all(found[name][0] == 0 for name in written)  # unanswered
    ada.start("FetchFeedback")
    (page,) = (ada.home / SLUG / "feedback").rglob("*.html")
    text = page.read_text()
    assert "srcdoc=" in text and "Report of the autograder" in text
    assert "SECRET-SEED" not in text and "def test_" not in text


@pytest.mark.parametrize("name", ["s.py", "s.zip"])
def test_who_hands_in_no_notebook_gets_points_and_feedback(
    service: Running, person: Make, course_dir: Path, name: str
) -> None:
    """A module, alone or in a packed folder, by the page or the command line."""
    content = module = b"def heat_step(u):\n    return 'shown to the TA'\n"
    if name == "s.zip":
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w") as archive:
            archive.writestr("mine/solution.py", module)
        content = zipped.getvalue()
    service.ledger.submit(course="course", assignment=SLUG, student="bob", name=name, content=content, channel="api")
    grade = service.record(lambda c: c.points / 2)
    assert "in the gradebook" in sync(course_dir, SLUG, "bob", service.environment("tess"))
    found = scores(course_dir, "bob")
    for criterion in grade["criteria"]:
        assert found[PREFIX + criterion["id"]] == (pytest.approx(criterion["max_points"] / 2), False)
    assert all(found[name][0] == 0 for name in found if not name.startswith(PREFIX))  # answers unwritten
    bob = person("bob")
    bob.start("FetchAssignment")
    bob.start("FetchFeedback")
    (page,) = (bob.home / SLUG / "feedback").rglob("*.html")
    assert "shown to the TA" in page.read_text() and "Report of the autograder" in page.read_text()


def test_a_student_who_edits_the_cells_changes_nothing(service: Running, person: Make, course_dir: Path) -> None:
    """Deleted, forged and rewritten criterion cells come back as they were; no code of a student's runs."""

    def forge(cells: list[Any]) -> list[Any]:
        kept = []
        for cell in cells:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
            if name == f"{PREFIX}formula":
                continue
            if name == f"{PREFIX}layout":
                cell["metadata"]["nbgrader"] |= {"solution": True, "locked": False, "points": 1000}
                cell["source"] = "1000.0"
            if name == f"{PREFIX}speed":
                del cell["metadata"]["nbgrader"]["points"]
                cell["cell_type"] = "markdown"
                del cell["outputs"], cell["execution_count"]
            if name == f"{PREFIX}edge-cases":
                cell["source"] = "open('autograder-was-here', 'w')"
            kept.append(cell)
        return kept

    submit(person, "bob", forge)
    service.record(lambda c: 0.0, Verdict.WRONG_ANSWER)
    sync(course_dir, SLUG, "bob", service.environment("tess"))
    found = scores(course_dir, "bob")
    assert {found[name][0] for name in found if name.startswith(PREFIX)} == {0.0}
    assert not list(course_dir.rglob("autograder-was-here"))
    notebook = json.loads((course_dir / "autograded" / "bob" / SLUG / f"{SLUG}.ipynb").read_text())
    assert "1000.0" not in [c["source"] for c in notebook["cells"]]


def test_cells_that_nbgrader_does_not_know_hold_no_feedback_up(
    service: Running, person: Make, course_dir: Path
) -> None:
    """Pasted from another assignment with their metadata, or with metadata that means nothing; a picture in a test cell."""
    strange: tuple[Any, ...] = (
        {"grade": True, "grade_id": "of-another", "locked": True, "points": 3, "solution": False, "schema_version": 3},
        {"grade": False, "grade_id": "answer-of-another", "locked": False, "solution": True, "schema_version": 1},
        {"grade": True}, {"grade_id": ["x"], "locked": True}, {"grade": "no", "schema_version": "new"}, [1], "x", None,
    )  # fmt: skip

    def paste(cells: list[Any]) -> list[Any]:
        for cell in cells:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
            if name == f"{PREFIX}formula":
                cell["metadata"]["nbgrader"] |= {"checksum": 7, "cell_type": None, "points": "many", "grade": []}
            if name == f"{PREFIX}speed":
                cell["cell_type"], cell["attachments"] = "markdown", {"a.png": {"image/png": "eA=="}}
                del cell["outputs"], cell["execution_count"]
        pasted = [
            {
                "cell_type": "code",
                "id": f"pasted-{i}",
                "metadata": {"nbgrader": about},
                "source": f"pasted = {i}",
                "outputs": [],
                "execution_count": None,
            }
            for i, about in enumerate(strange)
        ]
        return [*cells, *pasted]

    submit(person, "ada", paste)
    grade = service.record(lambda c: c.points / 2)
    assert "in the gradebook" in sync(course_dir, SLUG, "ada", service.environment("tess"))
    found = scores(course_dir, "ada")
    for criterion in grade["criteria"]:
        assert found[PREFIX + criterion["id"]] == (pytest.approx(criterion["max_points"] / 2), False)
    (page,) = (course_dir / "feedback" / "ada" / SLUG).rglob("*.html")
    assert page.read_text().count("pasted") >= len(strange) and "Report of the autograder" in page.read_text()


def test_what_is_our_fault_waits_for_a_person(service: Running, person: Make, course_dir: Path) -> None:
    """An undecided criterion is flagged in Formgrader instead of counting as nothing."""
    submit(person, "ada")
    service.record(lambda c: 0.0, Verdict.INCONCLUSIVE)
    sync(course_dir, SLUG, "ada", service.environment("tess"))
    assert all(flag for name, (_, flag) in scores(course_dir, "ada").items() if name.startswith(PREFIX))


def test_what_waits_for_a_gpu_is_finished_when_there_is_one(service: Running, person: Make, tmp_path: Path) -> None:
    """First correctness counts and speed is flagged; when a GPU has said how fast it is, its points are there without anybody's doing."""
    slug, folder = "a14_gpu_scan", tmp_path / "course"
    sync(folder, slug, "", service.environment("ines"))
    ada = person("ada")
    for step in ("FetchAssignment", "Submit"):
        ada.start(step, assignment=slug)
    body = made_grade(lambda c: c.points, slug=slug).to_json()
    waits = made_grade(lambda c: c.points, slug=slug).to_json()
    waits["criteria"][-1] |= {"points": 0.0, "verdict": "waiting-for-hardware", "sentence": "Waits for a GPU."}
    for hardware, grade, expected in ((False, waits, (0.0, True)), (True, body, (40.0, False))):
        service.ledger.hardware(gpu=hardware)
        held = service.ledger.lease("test", free=64, hold_s=60.0, gpu=hardware)
        assert held is not None and held.assignment == slug and service.ledger.record(held, grade)
        sync(folder, slug, "ada", service.environment("tess"))
        found = scores(folder, "ada", slug)
        assert found[f"{PREFIX}speed"] == expected and found[f"{PREFIX}formula"] == (15.0, False)
        (page,) = (folder / "feedback" / "ada" / slug).rglob("*.html")
        assert ("Waits for a GPU." in page.read_text()) is not hardware
    assert service.ledger.lease("test", free=64, hold_s=60.0, gpu=True) is None


def test_a_newer_submission_in_the_queue_brings_itself_in(service: Running, person: Make, course_dir: Path) -> None:
    """The writer does not wait for it, and does not put the older grade under the newer work."""
    submit(person, "ada")
    service.record(lambda c: c.points)
    sync(course_dir, SLUG, "ada", service.environment("tess"))

    def more(cells: list[Any]) -> list[Any]:
        return [*cells, {"cell_type": "markdown", "id": "more", "metadata": {}, "source": "more"}]

    submit(person, "ada", more)
    assert "bring itself in" in sync(course_dir, SLUG, "ada", service.environment("tess"))
    service.record(lambda c: 0.0, Verdict.WRONG_ANSWER)
    sync(course_dir, SLUG, "ada", service.environment("tess"))
    assert {s for n, (s, _) in scores(course_dir, "ada").items() if n.startswith(PREFIX)} == {0.0}


def test_an_older_submission_stands_for_no_newer_one(service: Running, person: Make, course_dir: Path) -> None:
    """One that cannot be collected is said to be so, and what was there before stays what it was."""
    submit(person, "ada")
    service.record(lambda c: c.points)
    sync(course_dir, SLUG, "ada", service.environment("tess"))
    before = scores(course_dir, "ada")
    service.ledger.submit(
        course="course", assignment=SLUG, student="ada", name="s.zip", content=b"PK no archive", channel="api"
    )
    service.record(lambda c: 0.0, Verdict.WRONG_ANSWER)
    with pytest.raises(GradebookError, match="the newest submission of ada could not be collected"):
        sync(course_dir, SLUG, "ada", service.environment("tess"))
    assert scores(course_dir, "ada") == before
    service.ledger.submit(
        course="course", assignment=SLUG, student="bob", name="s.zip", content=b"PK nor this", channel="api"
    )
    service.record(lambda c: 0.0, Verdict.WRONG_ANSWER)
    with pytest.raises(GradebookError, match="bob's submission could not be collected"):  # not: has not submitted
        sync(course_dir, SLUG, "bob", service.environment("tess"))


def test_a_token_without_rights_writes_nothing(service: Running, person: Make, course_dir: Path) -> None:
    """The writer reports the service's refusal."""
    submit(person, "ada")
    service.record(lambda c: c.points)
    with pytest.raises(GradebookError, match=re.compile("staff|role", re.IGNORECASE)):
        sync(course_dir, SLUG, "ada", service.environment("ada"))
