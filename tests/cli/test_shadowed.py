"""Whoever grades stands in a folder of what was handed in, and nothing in it is imported beside the judge."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .. import conftest

SHADOWED = (
    "pickle",
    "numpy",
    "json",
    "socket",
    "typing",
    "click",
    "docker",
    "pytest",
    "runpy",
    "pathlib",
    "urllib",
    "fnmatch",
    "asyncio",
)
SPY = """
import pathlib
pathlib.Path({marker!r}).write_text(__file__)
raise ImportError("shadowed")
"""
PROGRAM = str(Path(sys.executable).with_name("autograder"))


@pytest.fixture
def folder(tmp_path, basic):
    """A right solution among files that are called as what a grader imports."""
    here = tmp_path / "handed in"
    here.mkdir()
    for name in SHADOWED:
        (here / f"{name}.py").write_text(SPY.format(marker=str(tmp_path / "ran")))
    (here / "hw.py").write_bytes((basic.folder / "solutions" / "numpy_loop.py").read_bytes())
    return here


def run(folder, *command):
    """A command in that folder."""
    environment = os.environ | {"AUTOGRADER_COURSE_FOLDER": str(conftest.FIXTURES / "assignments")}
    environment.pop("PYTHONSAFEPATH", None)
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("how", [(PROGRAM,), (sys.executable, "-m", "autograder")], ids=["script", "module"])
def test_a_look_imports_nothing_from_where_one_stands(folder, how):
    """`check` starts a judge and plain processes."""
    if len(how) > 1:
        (folder / "runpy.py").unlink()  # Python itself looks for that one, before anybody else has a say
    done = run(folder, *how, "check", "t_basic", "hw.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (folder.parent / "ran").exists()


@pytest.mark.docker
def test_a_grading_imports_nothing_from_where_one_stands(folder):
    """Judge, reaper and their helpers."""
    done = run(folder, PROGRAM, "grade", "t_basic", "hw.py", "--only", "formula")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (folder.parent / "ran").exists(), (folder.parent / "ran").read_text()
