"""A class in the terminal: verdicts as they come, and an end when a TA wants one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import click
import pytest
from rich.console import Console

from autograder.cli.grading import _Output
from autograder.domain.grade import CriterionResult, Grade
from autograder.domain.verdict import Verdict
from tests.conftest import FIXTURES

pytestmark = pytest.mark.docker
CLASS = 60


@pytest.fixture
def heard():
    """Whoever runs the tests in a shell's background has Ctrl-C ignored, and so would what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_class_that_is_interrupted_keeps_what_was_reached(tmp_path, engine, heard):
    """One object a line, as soon as a verdict is there; Ctrl-C waits for what is under way, not for everybody."""
    files = [tmp_path / f"student{i}.py" for i in range(CLASS)]
    for file in files:
        file.write_text(f"def work(x, steps):\n    return x  # {file.name}\n")
    pages = tmp_path / "pages"
    command = [sys.executable, "-m", "autograder", "grade", "t_basic", *map(str, files), "--json", "--html", str(pages)]
    with subprocess.Popen(command, cwd=FIXTURES, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None and running.stderr is not None
        first = json.loads(running.stdout.readline())
        told, early = time.monotonic(), running.poll()
        running.send_signal(signal.SIGINT)
        rest = [json.loads(line) for line in running.stdout]
        code, took_s = running.wait(), time.monotonic() - told
        said = running.stderr.read()
    assert early is None and code == 130, said
    assert first["submission"].startswith("student") and 1 + len(rest) < CLASS / 2
    assert took_s < 30, took_s
    assert len(list(pages.iterdir())) >= 1 + len(rest) and "Traceback" not in said


def reached():
    """A verdict."""
    row = CriterionResult("c", "C", 5.0, 5.0, Verdict.PASSED, "Correct.", True, {}, None)
    return Grade("t_basic", "solution.py", "ab" * 32, (row,), {"id": "m"}, {"version": "1"}, 1.0, 0.1)


def output(html, single=True):
    """Where it goes."""
    return _Output(Console(), html, single=single, as_json=True, staff=False)


def test_a_page_that_cannot_be_written_keeps_no_verdict_back(tmp_path, capsys):
    """A full disk, say; here a folder lies in its place."""
    (tmp_path / "page.html").mkdir()
    output(tmp_path / "page.html").tell(reached())
    said = capsys.readouterr()
    assert json.loads(said.out)["score"] == 5 and "no report" in said.err and "page.html" in said.err


def test_a_page_for_a_class_is_refused_before_anybody_is_graded(tmp_path):
    """The file of an earlier grading, where a folder is asked for: the first verdict would have been the last."""
    (tmp_path / "my.html").write_text("mine")
    with pytest.raises(click.UsageError, match="name a folder"):
        output(tmp_path / "my.html", single=False).ready()
    output(tmp_path / "new" / "my.html").ready()
    assert (tmp_path / "new").is_dir() and (tmp_path / "my.html").read_text() == "mine"


def test_two_students_with_the_same_bytes_have_a_page_each(tmp_path):
    """ada/solution.py and bob/solution.py."""
    both = output(tmp_path, single=False)
    both.tell(reached())
    both.tell(reached())
    assert len(list(tmp_path.iterdir())) == 2
