"""The calendar: read, refused with file and key, and what being late costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from autograder.api import CourseError, all_folders, load_term, project_folders, term_file
from autograder.cli import cli
from autograder.domain.term import LatePolicy

REPOSITORY = Path(__file__).resolve().parents[2]
DUE = datetime(2026, 10, 2, 23, 59, 59, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
HEAD = 'title = "T"\nterm = "t"\ntimezone = "Europe/Berlin"\nshares = { assignments = 0.5, project = 0.5 }\n'


def read(folder: Path, text: str):
    """The file's term."""
    (folder / "course.toml").write_text(text)
    return load_term(folder / "course.toml")


def test_the_course_names_its_folders_and_every_folder_has_a_date():
    """A folder without a date is never due; a date without a folder is a slip of the pen."""
    term = load_term(REPOSITORY / "assignments" / "course.toml")
    assert term is not None
    folders = {f.name for f in all_folders(REPOSITORY / "assignments") if not f.name.startswith("_")}
    projects = {f.name for f in project_folders(REPOSITORY / "assignments")}
    assert set(term.slots) == folders | projects == {*folders, "final_project"}
    assert term.share("final_project") == term.shares["project"]
    assert sum(term.share(slug) for slug in folders) == pytest.approx(term.shares["assignments"])


def test_a_part_of_the_course_is_one_of_its_shares(tmp_path):
    """Weights count within their part; a slip of the pen is named."""
    rows = "[assignments]\na = { released = 2026-10-01, due = 2026-10-25 }\n"
    rows += 'b = { released = 2026-10-01, due = 2026-10-25, part = "project", weight = 3 }\n'
    term = read(tmp_path, HEAD + rows)
    assert (term.share("a"), term.share("b")) == pytest.approx((0.5, 0.5))
    with pytest.raises(CourseError, match=r"assignments\.b\.part: 'projects' is none of assignments, project"):
        read(tmp_path, HEAD + rows.replace('"project"', '"projects"'))


def test_a_date_alone_is_until_its_last_minute_in_the_course_s_own_zone(tmp_path):
    """And a time with a zone stays what it is."""
    rows = "[assignments]\na = { released = 2026-10-01, due = 2026-10-25 }\n"
    rows += "b = { released = 2026-10-01T12:00:00, due = 2026-10-25T12:00:00Z, weight = 3 }\n"
    term = read(tmp_path, HEAD + rows)
    assert term.slots["a"].due.isoformat() == "2026-10-25T23:59:59+01:00"  # summer time has ended that day
    assert term.slots["a"].released.isoformat() == "2026-10-01T00:00:00+02:00"
    assert term.slots["b"].due == datetime(2026, 10, 25, 12, tzinfo=UTC)
    assert term.share("a") == pytest.approx(0.125) and term.share("c") == 0


BAD = {
    "late.perday": (HEAD + "late = { perday = 0.1 }\n", "unknown key"),
    "late.per_day": (HEAD + "late = { per_day = 10 }\n", "a share from 0 to 1"),
    "timezone": (HEAD.replace("Europe/Berlin", "Mars/Phobos"), "IANA"),
    "shares": (HEAD.replace("project = 0.5", "project = 0.6"), "add up to 1"),
    "assignments.a.due": (HEAD + "assignments = { a = { released = 2026-10-02, due = 2026-10-01 } }\n", "after"),
    "assignments.a.released": (HEAD + "assignments = { a = { due = 2026-10-01 } }\n", "is missing"),
    "assignments.a.weight": (
        HEAD + "assignments = { a = { released = 2026-10-01, due = 2026-10-02, weight = -1 } }\n",
        "negative",
    ),
    "assignments": (HEAD + "assignments = { a = { released = 2026-10-01, due = 2026-10-02, weight = 0 } }\n", "weigh"),
}


@pytest.mark.parametrize("key", BAD)
def test_a_slip_is_refused_with_file_and_key(key, tmp_path):
    """Whoever made it finds it."""
    text, words = BAD[key]
    with pytest.raises(CourseError) as error:
        read(tmp_path, text)
    assert f"course.toml: {key}" in str(error.value) and words in str(error.value)


@pytest.mark.parametrize(
    "key, text", [("timezone", HEAD.replace("Europe/Berlin", "America")), ("shares", HEAD.replace("0.5", "nan"))]
)
def test_what_python_takes_for_a_zone_or_a_number_is_refused_too(key, text, tmp_path):
    """A folder of time zones, and what is not a number."""
    with pytest.raises(CourseError, match=f"course.toml: {key}"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("seconds", "days", "points"),
    [(-1, 0, 0), (0, 0, 0), (900, 0, 0), (901, 1, 10), (86_400, 1, 10), (86_401, 2, 20), (20 * 86_400, 20, 100)],
)
def test_days_begun_count_and_a_moment_s_grace_is_not_late(seconds, days, points):
    """Never more than there is."""
    policy = LatePolicy(grace_s=900, per_day=0.1, days=5)
    assert policy.days_late(DUE + timedelta(seconds=seconds), DUE) == days
    assert policy.deduction(days, 100) == pytest.approx(points)


@pytest.mark.parametrize(
    ("due", "hours", "days"),
    [
        (datetime(2026, 10, 24, 23, 59, 59, tzinfo=BERLIN), 24.9, 1),  # clocks go back: a day of 25 hours
        (datetime(2026, 10, 24, 23, 59, 59, tzinfo=BERLIN), 25.1, 2),
        (datetime(2026, 10, 22, 23, 59, 59, tzinfo=BERLIN), 5 * 24 + 0.9, 5),
        (datetime(2027, 3, 27, 23, 59, 59, tzinfo=BERLIN), 22.9, 1),  # forward: 23 hours
        (datetime(2027, 3, 27, 23, 59, 59, tzinfo=BERLIN), 23.1, 2),
        (datetime(2027, 3, 25, 23, 59, 59, tzinfo=BERLIN), 5 * 24 - 1.1, 5),
        (datetime(2027, 3, 25, 23, 59, 59, tzinfo=BERLIN), 0.2, 0),
    ],
)
def test_a_day_ends_when_the_clock_on_the_wall_says_so(due, hours, days):
    """What is taken in on the last day costs no day more than there are."""
    policy = LatePolicy(grace_s=900, per_day=0.1, days=5)
    received = due.astimezone(UTC) + timedelta(hours=hours)
    assert policy.days_late(received, due) == policy.days_late(received.astimezone(due.tzinfo), due) == days
    last = policy.closes(due)
    assert policy.days_late(last.astimezone(UTC), due) == policy.days
    assert policy.days_late(last.astimezone(UTC) + timedelta(seconds=1), due) == policy.days + 1


def test_whoever_takes_nothing_late_still_gives_the_grace():
    """Closing before the grace is over would make it a lie."""
    assert LatePolicy(900, 1.0, 0).closes(DUE) == DUE + timedelta(seconds=900)


def test_course_list_prints_the_term(monkeypatch):
    """Dates, weights, and the late policy in words."""
    monkeypatch.setenv("AUTOGRADER_TERM", str(REPOSITORY / "assignments" / "course.toml"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(REPOSITORY)
    found = CliRunner().invoke(cli, ["course", "list"])
    assert found.exit_code == 0, found.output
    for word in (
        "autumn 2026",
        "a03_bifurcation_parallel",
        "2026-10-02",
        "of the",
        "10 % of all points",
        "America/New_York",
    ):
        assert word in found.output


def test_a_calendar_that_is_named_must_be_there(tmp_path, monkeypatch):
    """A slip in a setting would lift every deadline."""
    monkeypatch.setenv("AUTOGRADER_TERM", str(tmp_path / "corse.toml"))
    with pytest.raises(CourseError, match=r"corse\.toml"):
        load_term(term_file(tmp_path))


def test_without_a_calendar_nothing_is_due(tmp_path, monkeypatch):
    """The file may be missing."""
    monkeypatch.delenv("AUTOGRADER_TERM")
    assert load_term(term_file(tmp_path)) is None
