"""HTML in a file name and in an exception, hoping for a TA's browser.

Stopped by output: everything from outside is escaped, and the page has no script of its own."""

import re

import pytest

from autograder.api import page, receive

from . import naive

EVIL = "<script>alert(1)</script>"
SOURCE = f'''
def work(x, steps):
    raise ValueError("{EVIL}<img src=x onerror=alert(2)>")
'''


@pytest.mark.docker
def test_the_report_shows_text(tmp_path, node, basic):
    """The tags arrive as characters, for the student and for staff."""
    path = tmp_path / f"{EVIL.replace('/', '')}.py"
    path.write_text(SOURCE)
    grade = node.grade(basic, receive(path, 64), only="examples")
    for staff in (False, True):
        text = page(grade, staff=staff)
        assert "onerror=alert(2)&gt;" in text or "onerror" not in text
        assert not re.search(r"<script|<img", text)


def test_a_naive_report_runs_it():
    """String formatting is enough to be owned."""
    assert EVIL in naive.html(f"{EVIL}.py", "crashed")
