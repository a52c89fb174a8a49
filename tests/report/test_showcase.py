"""The site of the showcase: what is published, and what never is."""

import re
from datetime import UTC, datetime

import pytest

from autograder.domain.assignment import Function, Kind, Resources, ValueType
from autograder.domain.project import Claim, Measured, Member, Project, Standing
from autograder.errors import CourseError
from autograder.report.showcase import MARK, Exhibit, write_site

EVIL = '<script>alert("x")</script>'
NOW = datetime(2026, 12, 15, 13, 0, tzinfo=UTC)


def exhibit(slug="a", **more):
    """One of two claims, verified; the other could not be run."""
    claims = tuple(
        Claim(i, f"{i} {EVIL}", "f", "slow.py", "fast.py", 3.0, 1e-9, Kind.SERIAL, Resources(), {}) for i in ("one", "two")
    )  # fmt: skip
    team = (Member("Ada Example", consent=True), Member("Bob Secret"))
    links = {"paper": "paper.pdf", "code": "https://example.org/a?b=1&c=2"}
    project = Project(
        slug, f"Title {EVIL}", f"Abstract {EVIL}", team, links, (Function("f", (), (ValueType("float"),)),), claims, "0"
    )
    measured = (
        Measured("one", 3.0, Standing.VERIFIED, 3.1, (2.9, 3.3), (3.0, 3.2), 0.3, 0.1),
        Measured("two", 3.0, Standing.FAILED, words="crashed: /secret/path"),
    )
    return Exhibit(project, measured, NOW, "a machine", {"paper.pdf": b"%PDF-1.7"}, **more)


def site(folder, *exhibits):
    """All pages in one text."""
    return "\n".join(p.read_text(encoding="utf-8") for p in write_site(exhibits, folder, "Final projects"))


def test_what_a_team_wrote_is_text_and_never_markup(tmp_path):
    """Titles, abstracts and claims; the page forbids scripts besides."""
    pages = site(tmp_path / "site", exhibit())
    assert EVIL not in pages and "<script" not in pages and "&lt;script&gt;" in pages
    assert "default-src 'none'" in pages and "https://example.org/a?b=1&amp;c=2" in pages


def test_no_name_is_published_without_consent(tmp_path):
    """Only that there is somebody else; and a failed program's words are for its team."""
    pages = site(tmp_path / "site", exhibit())
    assert "Ada Example" in pages and "and 1 more" in pages
    assert "Bob" not in pages and "/secret/path" not in pages


def test_verified_and_failed_are_told_apart_without_colour(tmp_path):
    """A sign and a word each, in the table and in the plot."""
    pages = site(tmp_path / "site", exhibit())
    assert "✓ verified" in pages and "✗ failed" in pages and "<strong>1 of 2</strong> claims verified" in pages
    assert re.search(r"2\.9 to 3\.3", pages) and "<svg" in pages


def test_papers_lie_beside_the_pages(tmp_path):
    """By names of ours."""
    write_site([exhibit()], tmp_path / "site", "T")
    assert (tmp_path / "site/a-paper.pdf").read_bytes() == b"%PDF-1.7"
    assert {p.name for p in (tmp_path / "site").iterdir()} == {"index.html", "a.html", "a-paper.pdf", MARK}


def test_a_project_that_was_not_measured_says_so(tmp_path):
    """And shows no number."""
    bare = exhibit()
    pages = site(tmp_path / "site", Exhibit(bare.project, (), None, "", {}, NOW))
    assert "were not measured" in pages and "verified</strong>" not in pages and "Tuesday 15 December, 13:00" in pages


def test_a_folder_that_is_no_showcase_is_not_touched(tmp_path):
    """One that is, is replaced as a whole."""
    (tmp_path / "thesis.tex").write_text("ten years")
    with pytest.raises(CourseError, match="stays as it is"):
        write_site([exhibit()], tmp_path, "T")
    assert (tmp_path / "thesis.tex").read_text() == "ten years"
    site(tmp_path / "site", exhibit("old"))
    site(tmp_path / "site", exhibit("new"))
    assert not (tmp_path / "site/old.html").exists() and (tmp_path / "site/new.html").exists()
