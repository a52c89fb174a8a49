"""Deadlines, seen by a student, a TA, an export and the gradebook's writer."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta

import pytest

from hub.service.deadlines import Deadlines
from hub.service.gradebook import GradebookWriter

from .conftest import SLUG

BASIC = 100.0  # what t_basic has in all, checked below


@pytest.fixture
def calendar(tmp_path, monkeypatch):
    """Sets when the assignment is due, seen from now."""
    path = tmp_path / "course.toml"
    monkeypatch.setenv("AUTOGRADER_TERM", str(path))
    stamps = iter(range(1, 100))

    def set_(late: timedelta) -> None:
        due = (datetime.now(UTC) - late).isoformat()
        early = (datetime.now(UTC) - late - timedelta(days=9)).isoformat()
        path.write_text(
            f'title = "T"\nterm = "t"\ntimezone = "UTC"\nshares = {{ assignments = 1.0 }}\n'
            f"[assignments]\n{SLUG} = {{ released = {early}, due = {due} }}\n"
        )
        os.utime(path, ns=(next(stamps), next(stamps)))

    return set_


def test_on_time_costs_nothing_and_the_page_says_when_it_is_due(house, calendar):
    """The day, what a day costs, and the share of the mark."""
    calendar(timedelta(days=-3))
    due = datetime.now(UTC) + timedelta(days=3)
    page = house.page("ada", f"assignments/{SLUG}").text
    assert f"{due:%Y-%m-%d}" in page and "10 % of all points" in page
    assert "100 % of the mark" in house.page("ada", "").text
    found = house.submit()
    assert house.api("ada", "GET", f"api/submissions/{found}").json()["late"] is None


def test_late_is_taken_off_everywhere_until_an_extension_moves_the_deadline(house, calendar, tmp_path):
    """One rule, whoever asks: student, table, Canvas, gradebook."""
    calendar(timedelta(days=1, hours=1))
    assert "takes" in house.page("ada", f"assignments/{SLUG}").text
    found = house.submit()
    house.grade(found)
    entry = house.ledger.entry(found)
    whole = house.app.state.desk.catalogue.get(SLUG)
    off = 0.2 * (whole.max_score + whole.written_points)
    left = max(entry.score - off, 0)
    assert house.api("ada", "GET", f"api/submissions/{found}").json()["late"] == {"days": 2, "points": off}
    assert "2 days late" in house.page("ada", f"submissions/{found}").text
    assert "2 days late" in house.page("tom", f"staff/assignments/{SLUG}").text
    table = house.api("tom", "GET", f"api/assignments/{SLUG}/grades.csv").text
    assert table.splitlines()[-1].endswith(f",{left:g}")
    full = house.api("tom", "GET", f"api/assignments/{SLUG}/grades.csv?format=full").text
    assert f",2,{off:g},{left:g}," in full
    (row,) = house.api("tom", "GET", "api/exchange/course/submitted").json()
    assert row["late_points"] == off

    rules = Deadlines(house.ledger, "course", house.app.state.desk.catalogue)
    writer = GradebookWriter(house.ledger, tmp_path / "c", "http://x/", "course", deadlines=rules)
    before = writer.owed()
    house.ledger.extend("course", SLUG, "ada", until=datetime.now(UTC) + timedelta(days=1), by="tess")
    assert house.api("ada", "GET", f"api/submissions/{found}").json()["late"] is None
    assert (
        house.api("tom", "GET", f"api/assignments/{SLUG}/grades.csv")
        .text.splitlines()[-1]
        .endswith(f",{entry.score:g}")
    )
    after = writer.owed()
    assert set(before) == set(after) == {(SLUG, "ada")} and before != after


def test_an_extension_never_takes_time_away(house, calendar):
    """A date before the usual one is somebody's slip."""
    calendar(timedelta(days=-3))
    house.ledger.extend("course", SLUG, "ada", until=datetime.now(UTC) - timedelta(days=9), by="tess")
    assert house.api("ada", "GET", f"api/submissions/{house.submit()}").json()["late"] is None


def test_bytes_that_came_in_time_are_never_late(house, calendar):
    """Pressing the button again after the deadline costs nothing."""
    calendar(timedelta(days=-1))
    found = house.submit()
    calendar(timedelta(seconds=-1))
    assert house.submit() == found
    assert house.api("ada", "GET", f"api/submissions/{found}").json()["late"] is None


def test_after_the_last_day_nothing_is_taken_in_but_tries_and_what_staff_hand_in(house, calendar):
    """With a sentence that says what can be done."""
    calendar(timedelta(days=5, hours=1))
    ask = {"params": {"filename": "s.py"}, "content": b"x = 1"}
    path = f"api/assignments/{SLUG}/submissions"
    shut = house.api("ada", "POST", path, **ask)
    assert shut.status_code == 403 and "extension" in shut.text
    assert house.ledger.entries("course") == []
    assert "closed" in house.page("ada", f"assignments/{SLUG}").text
    trial = ask | {"params": {"filename": "s.py", "purpose": "try"}}
    assert house.api("ada", "POST", path, **trial).status_code == 201
    assert house.api("tom", "POST", path, **ask).status_code == 201
    house.ledger.extend("course", SLUG, "ada", until=datetime.now(UTC), by="tess")
    assert house.api("ada", "POST", path, **ask).status_code == 201


def test_a_damaged_calendar_changes_no_deadline_and_is_named_to_staff(house, calendar, tmp_path):
    """Somebody edits it on deadline night."""
    calendar(timedelta(days=-3))
    assert "of the mark" in house.page("ada", "").text
    (tmp_path / "course.toml").write_text("title = ")
    assert "of the mark" in house.page("ada", "").text
    assert "course.toml" in house.page("tom", "staff").text


def test_a_day_late_is_the_course_s_own(house, calendar, tmp_path):
    """Not one of 24 hours, on the night in which its clocks go back."""
    calendar(timedelta(days=1))
    rules = house.app.state.desk.deadlines
    text = (tmp_path / "course.toml").read_text().replace('"UTC"', '"Europe/Berlin"')
    (tmp_path / "course.toml").write_text(re.sub(r"due = \S+", "due = 2020-10-24T21:59:59Z", text))
    (tmp_path / "course.toml").write_text(
        re.sub(r"released = \S+,", "released = 2020-10-01,", (tmp_path / "course.toml").read_text())
    )
    due = rules.due(SLUG, "ada")
    late = rules._late(SLUG, due.astimezone(UTC), due.astimezone(UTC) + timedelta(hours=24.9))
    assert late is not None and late.days == 1


def test_a_calendar_that_vanishes_moves_no_deadline(house, calendar, tmp_path):
    """Whether it was named or lay beside the assignments; staff read that it is gone."""
    calendar(timedelta(days=6))
    assert house.api("ada", "POST", f"api/assignments/{SLUG}/submissions", content=b"def f():\n").status_code == 403
    (tmp_path / "course.toml").unlink()
    assert house.api("ada", "POST", f"api/assignments/{SLUG}/submissions", content=b"def f():\n").status_code == 403
    assert "as it was before is used" in house.page("tom", "staff").text


def test_without_the_calendar_that_should_be_there_nothing_is_taken_in(build, calendar, tmp_path):
    """From the start on, for nobody can say what is due; tries go on, and it ends when the file is mended."""
    calendar(timedelta(days=-3))
    whole = (tmp_path / "course.toml").read_text()
    for broken in ("title = ", None):
        if broken is None:
            (tmp_path / "course.toml").unlink()
        else:
            (tmp_path / "course.toml").write_text(broken)
        house = build()
        path = f"api/assignments/{SLUG}/submissions"
        answer = house.api("ada", "POST", path, content=b"def f():\n")
        assert answer.status_code == 503 and "calendar cannot be read" in answer.json()["detail"]
        assert house.api("ada", "POST", path, content=b"def f():\n", params={"purpose": "try"}).status_code == 201
        assert house.api("tom", "GET", f"api/assignments/{SLUG}/grades.csv").status_code == 503
        assert "nothing is taken in to be graded until it is mended" in house.page("tom", "staff").text
    (tmp_path / "course.toml").write_text(whole)
    house.submit()


def test_an_extension_is_given_in_the_course_s_own_time(house, calendar, tmp_path):
    """What a TA types is what the wall clock says."""
    calendar(timedelta(days=-3))
    path = tmp_path / "course.toml"
    path.write_text(path.read_text().replace('"UTC"', '"Asia/Tokyo"'))
    house.submit()  # enrols her
    browser = house.browser("tom")
    page = browser.get(f"{house.settings.prefix}staff/extensions?assignment={SLUG}").text
    assert "New deadline (Asia/Tokyo)" in page
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    form = {"csrf": csrf, "assignment": SLUG, "student": "ada", "until": "2031-01-01T09:00"}
    headers = {"Origin": str(house.http.base_url).rstrip("/")}
    done = browser.post(f"{house.settings.prefix}staff/extensions", data=form, headers=headers)
    assert done.status_code in (200, 303), done.text
    assert house.ledger.extension("course", SLUG, "ada") == datetime(2031, 1, 1, tzinfo=UTC)
