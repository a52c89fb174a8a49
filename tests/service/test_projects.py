"""Final projects at the service: the door, the pages, people's points, and the showcase that becomes of them."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest

from autograder.domain.grade import CriterionResult, Grade
from autograder.domain.project import CLAIM, Measured, Standing
from autograder.domain.verdict import Verdict
from hub.service.gradebook import GradebookWriter
from tests.engine.test_claims import CLAIM as ROW
from tests.engine.test_claims import FILES, PROJECT
from tests.service.conftest import House, duel

SLUG = "t_project"
EVIL = "<script>alert(1)</script>"
PDF = "%PDF-1.4 of theirs"


def project(title: str = "Planted", kind: str = "serial", cores: int = 1) -> bytes:
    """A project with one claim and a paper."""
    row = ROW.format("honest", "thrice.py", "fast.py", 3.0, kind).replace("kind =", f"cores = {cores}\nkind =")
    text = PROJECT.replace('"Planted"', f'"{title}"').replace("[[team]]", '[links]\npaper = "p.pdf"\n[[team]]') + row
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name, content in (FILES | {"project.toml": text, "p.pdf": PDF}).items():
            archive.writestr(name, content)
    return raw.getvalue()


def hand_in(house: House, who: str, content: bytes, name: str = "ours.zip") -> Any:
    """Over the API."""
    return house.api(who, "POST", f"api/assignments/{SLUG}/submissions", params={"filename": name}, content=content)


def grade(house: House, submission: int) -> None:
    """Records that the claim was verified."""
    held = house.ledger.lease("test", free=8, hold_s=60)
    assert held is not None and held.submission == submission
    found = Measured("honest", 3.0, Standing.VERIFIED, 3.1, (3.0, 3.2), (3.1, 3.1), 0.3, 0.1)
    row = CriterionResult(
        "honest",
        "The claim",
        0,
        0,
        Verdict.PASSED,
        "3× is claimed: verified.",
        True,
        {CLAIM: found.to_json()},
        duel(3.1),
    )
    machine = {"processor": "p", "cores": 2, "memory_gb": 4, "kernel": "k", "id": "m"}
    assert house.ledger.record(held, Grade(SLUG, held.name, held.sha256, (row,), machine, {}, 1.0, 0.1).to_json())


@pytest.fixture
def handed(house: House) -> int:
    """Ada's, measured."""
    number = int(hand_in(house, "ada", project(EVIL)).json()["receipt"]["submission"])
    grade(house, number)
    return number


def test_the_door_reads_a_project_as_the_grader_will(house: House) -> None:
    """Refused with file and key; what claims ask for is what is leased."""
    assert (
        hand_in(house, "ada", b"x = 1\n", "solution.py").json()["detail"]
        == "solution.py: there is no project.toml in it"
    )
    assert "asks for 3 cores" in hand_in(house, "ada", project(cores=3, kind="threads")).json()["detail"]
    answer = hand_in(house, "ada", project(cores=2, kind="threads"))
    assert answer.status_code == 201, answer.text
    held = house.ledger.lease("test", free=8, hold_s=60)
    assert held is not None and (held.cores, held.gpu) == (2, False)
    assert hand_in(house, "ben", project(kind="gpu")).status_code == 201
    assert house.ledger.lease("test", free=8, hold_s=60, gpu=True).gpu


def test_pages_say_what_was_verified_and_who_gives_points(house: House, handed: int) -> None:
    """Nothing counts before a person has looked; then that does, in pages and exports."""
    assert "project.toml" in house.page("ada", f"assignments/{SLUG}").text
    assert house.page("ada", "handout").text == "Whatever you like.\n"
    before = house.page("ada", f"submissions/{handed}").text
    assert "of 1 claim verified" in before and "none has been given yet" in before
    assert ">by people<" in house.page("ada", "").text
    export = f"api/assignments/{SLUG}/grades.csv"
    rows = list(csv.reader(io.StringIO(house.api("ivy", "GET", export).text)))
    assert len(rows) == 2  # the two headings alone
    answer = house.api(
        "tom", "POST", f"api/submissions/{handed}/review", json={"points": 43, "reason": "A sound oracle."}
    )
    assert answer.status_code == 201, answer.text
    after = house.page("ada", f"submissions/{handed}").text
    assert "43 of 50 points" in after and "A sound oracle." in after
    canvas = list(csv.reader(io.StringIO(house.api("ivy", "GET", export, params={"format": "canvas"}).text)))
    assert canvas[1][-1] == "50" and canvas[2][-1] == "43"
    staff = house.page("tom", f"staff/assignments/{SLUG}").text
    assert "43 / 50" in staff and "showcase.zip" in staff
    assert house.page("tom", f"api/submissions/{handed}/report").status_code == 200


def test_nbgrader_is_not_asked_for_a_notebook_that_it_does_not_have(house: House, handed: int, tmp_path: Any) -> None:
    """The gradebook's writer owes it nothing."""
    assert (SLUG, "ada") in house.ledger.marks(house.settings.course)
    desk = house.app.state.desk
    writer = GradebookWriter(house.ledger, tmp_path, "", house.settings.course, deadlines=desk.deadlines)
    assert writer.owed() == {}


def test_the_showcase_opens_to_the_class_on_its_day(house: House, handed: int, monkeypatch: Any) -> None:
    """Staff look at it before; what a team wrote is text, and its paper is a file."""
    monkeypatch.setattr(house.ledger, "clock", lambda: datetime(2026, 12, 14, 22, 59, tzinfo=UTC))
    assert house.page("ben", "showcase/index.html").status_code == 404
    assert "Showcase" not in house.page("ben", "").text and "Showcase" in house.page("tom", "").text
    seen = house.page("tom", "showcase/index.html")
    assert seen.status_code == 200 and EVIL not in seen.text and "&lt;script&gt;" in seen.text
    assert (
        "sandbox" in seen.headers["content-security-policy"]
        and "script-src" not in seen.headers["content-security-policy"]
    )
    monkeypatch.setattr(house.ledger, "clock", lambda: datetime(2026, 12, 14, 23, 0, tzinfo=UTC))  # midnight in Berlin
    assert house.browser("ben").get(f"{house.settings.prefix}showcase", follow_redirects=True).text == seen.text
    page = house.page("ben", "showcase/script-alert-1-script.html")
    assert "the whole measured interval lies within 15 %" in page.text
    paper = house.page("ben", "showcase/script-alert-1-script-paper.pdf")
    assert paper.text == PDF and paper.headers["content-disposition"].startswith("attachment")
    assert house.page("ben", "showcase.zip").status_code == 403
    with zipfile.ZipFile(io.BytesIO(house.page("tom", "showcase.zip").content)) as archive:
        assert {"showcase/index.html", "showcase/script-alert-1-script.html"} < set(archive.namelist())


def test_a_newer_version_and_a_second_team_are_shown_at_once(house: House, handed: int) -> None:
    """A version that was not measured says so; the same title twice is two pages."""
    house.page("tom", "showcase/index.html")
    assert hand_in(house, "ada", project("Better")).status_code == 201
    number = hand_in(house, "ben", project("Better")).json()["receipt"]["submission"]
    names = zipfile.ZipFile(io.BytesIO(house.page("tom", "showcase.zip").content)).namelist()
    assert {n for n in names if n.endswith(".html")} == {
        f"showcase/{n}.html" for n in ("index", "better", f"better-{number}")
    }
    assert "were not measured" in house.page("tom", "showcase/better.html").text


def test_a_damaged_programme_is_told_to_staff(house: House, handed: int, tmp_path: Any, monkeypatch: Any) -> None:
    """With file and key; the class sees no showcase."""
    spoilt = tmp_path / "showcase.toml"
    spoilt.write_text('title = "x"\n')
    monkeypatch.setattr(type(house.app.state.desk.catalogue), "programme", lambda _: spoilt)
    assert "timezone: is missing" in house.page("tom", "showcase/index.html").text
    assert house.page("ben", "showcase/index.html").status_code == 404
