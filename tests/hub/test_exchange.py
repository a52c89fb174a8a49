"""nbgrader's documented exchange behaviour, against the real service."""

from __future__ import annotations

import io
import logging
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbgrader.exchange import ExchangeError
from nbgrader.utils import parse_utc

from .conftest import SLUG, Running, notebook

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # nbgrader's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
Make = Callable[[str], Any]


@pytest.fixture
def released(person: Make) -> None:
    """The heat plate is released."""
    ines = person("ines")
    ines.release_folder()
    ines.start("ReleaseAssignment")


def test_release_needs_a_course(person: Make) -> None:
    """Without a course id nothing is sent, and the sentence is nbgrader's."""
    ines = person("ines")
    ines.release_folder()
    with pytest.raises(ExchangeError, match="No course id specified"):
        ines.start("ReleaseAssignment", course="")


def test_release_takes_only_the_release_folder(person: Make) -> None:
    """An assignment that was not generated is refused, and so is one that is nowhere."""
    ines = person("ines")
    (ines.home / "course" / "source" / SLUG).mkdir(parents=True)
    with pytest.raises(ExchangeError, match="generate_assignment"):
        ines.start("ReleaseAssignment")
    with pytest.raises(ExchangeError, match="Assignment not found"):
        ines.start("ReleaseAssignment", assignment="nothing")


@pytest.mark.usefixtures("released")
def test_release_again_needs_force(person: Make) -> None:
    """What students work on is not replaced by accident."""
    ines = person("ines")
    with pytest.raises(ExchangeError, match="--force"):
        ines.start("ReleaseAssignment")
    ines.start("ReleaseAssignment", force=True)


def test_students_cannot_release(person: Make) -> None:
    """The service decides by the token, and its sentence arrives."""
    ada = person("ada")
    ada.release_folder()
    with pytest.raises(ExchangeError, match="staff"):
        ada.start("ReleaseAssignment")


@pytest.mark.usefixtures("released")
def test_fetch_writes_the_files_once(person: Make) -> None:
    """A second fetch is refused, so that work is never overwritten."""
    ada = person("ada")
    ada.start("FetchAssignment")
    assert (ada.home / SLUG / f"{SLUG}.ipynb").is_file()
    assert (ada.home / SLUG / "data" / "numbers.txt").read_text() == "1 2 3\n"
    with pytest.raises(ExchangeError, match="already have a copy"):
        ada.start("FetchAssignment")


@pytest.mark.usefixtures("released")
def test_fetch_with_replace_brings_back_what_is_missing(person: Make) -> None:
    """A deleted file comes back, a changed one stays changed."""
    ada = person("ada")
    ada.start("FetchAssignment")
    (ada.home / SLUG / "data" / "numbers.txt").unlink()
    (ada.home / SLUG / f"{SLUG}.ipynb").write_text("mine")
    ada.start("FetchAssignment", replace_missing_files=True)
    assert (ada.home / SLUG / "data" / "numbers.txt").is_file()
    assert (ada.home / SLUG / f"{SLUG}.ipynb").read_text() == "mine"


@pytest.mark.usefixtures("released")
def test_fetch_of_a_wrong_name_suggests_the_right_one(person: Make, caplog: pytest.LogCaptureFixture) -> None:
    """nbgrader's "Did you mean"."""
    with caplog.at_level(logging.ERROR), pytest.raises(ExchangeError, match="Assignment not found"):
        person("ada").start("FetchAssignment", assignment="a04_heat")
    assert SLUG in caplog.text


@pytest.mark.usefixtures("released")
def test_paths_can_include_the_course(person: Make) -> None:
    """With the setting, folders of two courses do not collide."""
    ada = person("ada")
    ada.start("FetchAssignment", path_includes_course=True)
    assert (ada.home / "course" / SLUG / f"{SLUG}.ipynb").is_file()
    ada.start("Submit", path_includes_course=True)


@pytest.mark.usefixtures("released")
def test_submit_keeps_a_copy_under_the_time_of_the_receipt(person: Make, service: Running) -> None:
    """Cache, service and timestamp agree, and the outputs of cells did not travel."""
    ada = person("ada")
    ada.start("FetchAssignment")
    ada.start("Submit")
    (row,) = service.ledger.receipts("course", student="ada")
    (kept,) = (ada.home / "cache" / "course").iterdir()
    student, assignment, stamp = kept.name.split("+")
    assert (student, assignment) == ("ada", SLUG)
    assert parse_utc(stamp) == row.received_at.replace(tzinfo=None)
    assert (kept / "timestamp.txt").read_text() == stamp
    assert (kept / "receipt.txt").read_text() == row.id
    assert b"A PLOT" not in service.ledger.content(row.submission)
    assert "A PLOT" in (kept / f"{SLUG}.ipynb").read_text()


@pytest.mark.usefixtures("released")
def test_submitting_twice_keeps_both(person: Make, service: Running) -> None:
    """Two receipts, two entries in the list; the same work is graded once."""
    ada = person("ada")
    ada.start("FetchAssignment")
    ada.start("Submit")
    ada.start("Submit")
    first, second = service.ledger.receipts("course", student="ada")
    assert first.submission == second.submission and first.id != second.id
    (group,) = ada.start("List", cached=True)
    assert len(group["submissions"]) == 2


@pytest.mark.usefixtures("released")
def test_missing_notebooks(person: Make, caplog: pytest.LogCaptureFixture) -> None:
    """A renamed notebook is refused with --strict and warned about without; an extra one never refused."""
    ada = person("ada")
    ada.start("FetchAssignment")
    (ada.home / SLUG / f"{SLUG}.ipynb").rename(ada.home / SLUG / "renamed.ipynb")
    with pytest.raises(ExchangeError, match="missing notebooks"):
        ada.start("Submit", strict=True)
    with caplog.at_level(logging.WARNING):
        ada.start("Submit")
    assert f"{SLUG}.ipynb: MISSING" in caplog.text and "renamed.ipynb: EXTRA" in caplog.text


@pytest.mark.usefixtures("released")
def test_nobody_submits_for_somebody_else(person: Make) -> None:
    """The token says who it is; odd student ids get nbgrader's sentence."""
    ada = person("ada")
    ada.start("FetchAssignment")
    ada.start("Submit", student="ada")
    with pytest.raises(ExchangeError, match="cannot submit for bob"):
        ada.start("Submit", student="bob")
    with pytest.raises(ExchangeError, match="no '\\*' nor '\\+'"):
        ada.start("Submit", student="b*b")


@pytest.mark.usefixtures("released")
def test_settings_choose_what_is_sent(person: Make, service: Running) -> None:
    """`ignore`, `include`, `max_file_size` and `max_dir_size` mean what nbgrader documents."""
    ada = person("ada")
    ada.start("FetchAssignment")
    (ada.home / SLUG / "foo.pyc").write_text("x")
    (ada.home / SLUG / "large.txt").write_text("x" * 9001)
    ada.start("Submit", settings={"max_file_size": 9})
    (kept,) = (ada.home / "cache" / "course").iterdir()
    assert sorted(p.name for p in kept.iterdir() if p.suffix) == [
        f"{SLUG}.ipynb",
        "receipt.txt",
        "timestamp.txt",
    ]
    with pytest.raises(RuntimeError, match="Directory size is too big"):
        ada.start("Submit", settings={"max_dir_size": 1})


@pytest.mark.usefixtures("released")
def test_the_service_refuses_in_its_own_words(person: Make) -> None:
    """What the intake says about a bad submission is what the student reads."""
    ada = person("ada")
    ada.start("FetchAssignment")
    (ada.home / SLUG / f"{SLUG}.ipynb").write_text("no notebook")
    with pytest.raises(ExchangeError, match="notebook"):
        ada.start("Submit")


@pytest.mark.usefixtures("released")
def test_collect_takes_the_newest_of_everybody(person: Make, service: Running) -> None:
    """Folders as nbgrader has them; an update only when there is a newer one."""
    for name in ("ada", "bob"):
        student = person(name)
        student.start("FetchAssignment")
        student.start("Submit")
    tess = person("tess")
    tess.start("Collect")
    folder = tess.home / "course" / "submitted"
    assert sorted(p.name for p in folder.iterdir()) == ["ada", "bob"]
    before = (folder / "ada" / SLUG / "timestamp.txt").read_text()
    ada = person("ada")
    (ada.home / SLUG / f"{SLUG}.ipynb").write_text(notebook("heat_step_n = None"))
    ada.start("Submit")
    tess.start("Collect")
    assert (folder / "ada" / SLUG / "timestamp.txt").read_text() == before
    tess.start("Collect", update=True)
    assert parse_utc((folder / "ada" / SLUG / "timestamp.txt").read_text()) > parse_utc(before)
    assert "heat_step_n = None" in (folder / "ada" / SLUG / f"{SLUG}.ipynb").read_text()


@pytest.mark.usefixtures("released")
def test_collect_takes_what_was_handed_in_by_other_ways(person: Make, service: Running) -> None:
    """One notebook, a zip, a module, a tar; and archives that no folder could hold keep nobody else from it."""
    text = notebook("x = 1").encode()
    plain, odd = io.BytesIO(), {"aab": ["timestamp.txt/x", "solution.py"], "aac": ["a", "a/b"], "aad": ["é" * 200]}
    with tarfile.open(fileobj=plain, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("mine/solution.py"))
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr(f"{SLUG}.ipynb", text)
        archive.writestr("__MACOSX/._x.ipynb", "a resource fork")
    for name, files in odd.items():
        broken = io.BytesIO()
        with zipfile.ZipFile(broken, "w") as archive:
            for file in files:
                archive.writestr(file, "x")
        service.ledger.submit(
            course="course", assignment=SLUG, student=name, name="s.zip", content=broken.getvalue(), channel="api"
        )
    service.ledger.submit(
        course="course", assignment=SLUG, student="dan", name="s.tar", content=plain.getvalue(), channel="api"
    )
    ways = {"ada": ("s.ipynb", text), "bob": ("s.zip", zipped.getvalue()), "cat": ("s.py", b"x = 1\n")}
    for name, (file, content) in {"aaa": ("s.tar.gz", b"\x1f\x8bno archive"), **ways}.items():
        service.ledger.submit(course="course", assignment=SLUG, student=name, name=file, content=content, channel="api")
    tess = person("tess")
    tess.start("Collect")
    folder = tess.home / "course" / "submitted"
    collected = sorted(p.name for p in folder.iterdir() if (p / SLUG).is_dir())
    assert collected == ["aab", "ada", "bob", "cat", "dan"]
    assert (folder / "aab" / SLUG / "timestamp.txt").is_file() and not (folder / "bob" / SLUG / "__MACOSX").exists()
    assert (folder / "dan" / SLUG / "mine" / "solution.py").is_file()
    assert (folder / "ada" / SLUG / f"{SLUG}.ipynb").read_bytes() == text
    assert (folder / "bob" / SLUG / f"{SLUG}.ipynb").read_bytes() == text
    assert (folder / "cat" / SLUG / "solution.py").read_bytes() == b"x = 1\n"
    # collected before its notebook was released: --update brings what stands in for it
    late, made = tess.home / "course" / "release" / SLUG / f"{SLUG}.ipynb", folder / "cat" / SLUG / f"{SLUG}.ipynb"
    late.parent.mkdir(parents=True)
    late.write_text(notebook("pass"))
    tess.start("Collect")
    assert not made.exists()
    tess.start("Collect", update=True)
    assert "# Handed in as solution.py" in made.read_text() and "x = 1" in made.read_text()


@pytest.mark.usefixtures("released")
def test_students_collect_nothing_of_others(person: Make) -> None:
    """A student's token shows the student's own work, whatever is asked for."""
    bob = person("bob")
    bob.start("FetchAssignment")
    bob.start("Submit")
    ada = person("ada")
    ada.start("Collect")
    assert not (ada.home / "course" / "submitted" / "bob").exists()
    with pytest.raises(ExchangeError):
        ada.start("Collect", student="bob")


@pytest.mark.usefixtures("released")
def test_list_shows_released_and_fetched(person: Make) -> None:
    """What the Assignment List draws."""
    ada = person("ada")
    (info,) = ada.start("List", assignment="")
    assert (info["status"], info["assignment_id"], info["course_id"]) == ("released", SLUG, "course")
    assert [n["notebook_id"] for n in info["notebooks"]] == [SLUG]
    ada.start("FetchAssignment")
    (info,) = ada.start("List", assignment="*")
    assert info["status"] == "fetched" and Path(info["notebooks"][0]["path"]).is_file()
    with pytest.raises(ExchangeError, match="incompatible"):
        ada.start("List", inbound=True, cached=True)


@pytest.mark.usefixtures("released")
def test_list_remove_withdraws(person: Make) -> None:
    """Only an instructor can; afterwards nobody can fetch."""
    with pytest.raises(ExchangeError):
        person("ada").start("List", remove=True)
    (info,) = person("ines").start("List", remove=True)
    assert info["status"] == "removed"
    with pytest.raises(ExchangeError, match="Assignment not found"):
        person("ada").start("FetchAssignment")


@pytest.mark.usefixtures("released")
def test_a_lost_cache_hides_no_submission(person: Make) -> None:
    """The list shows what the service recorded, with and without the local copy; records cannot be removed."""
    ada = person("ada")
    ada.start("FetchAssignment")
    ada.start("Submit")
    (removed,) = ada.start("List", cached=True, remove=True)
    assert removed["status"] == "removed" and list((ada.home / "cache" / "course").iterdir()) == []
    (group,) = ada.start("List", cached=True)
    assert [s["notebooks"][0]["notebook_id"] for s in group["submissions"]] == [SLUG]
    with pytest.raises(ExchangeError, match="on record"):
        ada.start("List", inbound=True, remove=True)


@pytest.mark.usefixtures("released")
def test_feedback_goes_to_its_submission(person: Make) -> None:
    """HTML only, under the time of the submission; a new version is seen as an update."""
    ada = person("ada")
    ada.start("FetchAssignment")
    ada.start("Submit")
    tess = person("tess")
    tess.start("Collect")
    stamp = (tess.home / "course" / "submitted" / "ada" / SLUG / "timestamp.txt").read_text()
    folder = tess.home / "course" / "feedback" / "ada" / SLUG
    folder.mkdir(parents=True)
    (folder / f"{SLUG}.html").write_text("well done")
    (folder / "timestamp.txt").write_text(stamp)
    (folder / "staff-notes.txt").write_text("not for students")
    tess.start("ReleaseFeedback")
    (group,) = ada.start("List", cached=True)
    assert group["submissions"][0]["has_exchange_feedback"] and not group["submissions"][0]["has_local_feedback"]
    ada.start("FetchFeedback")
    place = ada.home / SLUG / "feedback" / stamp
    assert (place / f"{SLUG}.html").read_text() == "well done" and not (place / "staff-notes.txt").exists()
    (group,) = ada.start("List", cached=True)
    assert group["submissions"][0]["has_local_feedback"] and not group["submissions"][0]["feedback_updated"]
    (folder / f"{SLUG}.html").write_text("even better")
    refused = folder.parents[1] / "aaa" / SLUG  # ada comes after
    refused.mkdir(parents=True)
    (refused / f"{SLUG}.html").write_text("x")
    (refused / "timestamp.txt").write_text("yesterday")
    with pytest.raises(ExchangeError, match=r"not released to aaa \("):
        tess.start("ReleaseFeedback")
    (group,) = ada.start("List", cached=True)
    assert group["submissions"][0]["feedback_updated"]
    ada.start("FetchFeedback", assignment="*")
    assert (place / f"{SLUG}.html").read_text() == "even better"
    ada.start("Submit")  # fetched feedback is not handed in again


def test_students_cannot_release_feedback(person: Make) -> None:
    """The service refuses, whatever the client sends."""
    ada = person("ada")
    folder = ada.home / "course" / "feedback" / "ada" / SLUG
    folder.mkdir(parents=True)
    (folder / f"{SLUG}.html").write_text("full marks")
    (folder / "timestamp.txt").write_text("2026-01-01 00:00:00.000000 UTC")
    with pytest.raises(ExchangeError, match="staff"):
        ada.start("ReleaseFeedback")


def test_a_silent_service_is_named(person: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says what to do, not a traceback."""
    ada = person("ada")
    monkeypatch.setattr(ada.service, "url", "http://127.0.0.1:9/")
    with pytest.raises(ExchangeError, match="does not answer"):
        ada.start("List")
