"""A class in the terminal: verdicts as they come, and an end when a TA wants one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

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
