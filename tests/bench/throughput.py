"""A class of trivial notebooks: `nbgrader autograde` against ours, on this machine, in one run.

    python tests/bench/throughput.py [--students 100] [--no-nbgrader]

nbgrader runs in a virtual environment of its own (installed from PyPI on the first run, kept under build/). Both grade the
same notebooks: one function, one check. nbgrader executes them in a kernel with the grader's rights; ours starts a fresh
hardened container for each. Also printed: what one grading costs beyond the submission's own time.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "throughput"
NBGRADER = "nbgrader==0.9.6"

TOML = """
title = "Trivial"
lecture = "0"
domain = "bench"
kind = "serial"
summary = "One function, one check."
[reference]
oracle = "none"
baseline = "none"
kernel = "none"
[functions.double]
arguments = ["x: f8[n]"]
returns = ["f8[n]"]
[[criteria]]
id = "doubles"
title = "Doubles its input"
points = 1
visibility = "hidden"
hint = "Multiply by two."
"""
CHECK = '''"""One check."""
import numpy as np
import pytest
from autograder.judge.compare import same


@pytest.mark.criterion("doubles")
def test_doubles(submission):
    """Ones become twos."""
    same(submission.double(np.ones(4)), np.full(4, 2.0))
'''


def cell(kind: str, name: str, source: str, **grading: object) -> dict[str, object]:
    """One nbgrader cell."""
    base = {
        "grade": False,
        "solution": False,
        "locked": False,
        "task": False,
        "schema_version": 3,
        "grade_id": name,
        **grading,
    }
    made: dict[str, object] = {
        "cell_type": kind,
        "id": name,
        "metadata": {"nbgrader": base, "tags": ["export"] if base["solution"] else []},
        "source": source,
    }
    return made if kind == "markdown" else {**made, "outputs": [], "execution_count": None}


def notebook(body: str) -> str:
    """The assignment with a student's body."""
    cells = [
        cell("code", "solution", f"import numpy as np\n\n\ndef double(x):\n    {body}\n", solution=True),
        cell("code", "test", "assert (double(np.ones(4)) == 2.0).all()\n", grade=True, locked=True, points=1),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells})


def body_of(i: int) -> str:
    """Every fourth student is wrong."""
    return "return x + x" if i % 4 else "return x * 3"


def theirs(students: int) -> float:
    """Seconds of `nbgrader autograde` for the class."""
    venv = WORK / "venv"
    if not (venv / "bin" / "nbgrader").exists():
        print(f"installing {NBGRADER} (once, about a minute)", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run(
            [str(venv / "bin" / "python"), "-m", "pip", "install", "-q", NBGRADER, "numpy", "ipykernel"],
            check=True,
            stderr=subprocess.DEVNULL,
        )
    course = WORK / "course"
    shutil.rmtree(course, ignore_errors=True)
    (course / "source" / "ps1").mkdir(parents=True)
    (course / "source" / "ps1" / "ps1.ipynb").write_text(
        notebook("### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION")
    )
    (course / "nbgrader_config.py").write_text('c = get_config()\nc.CourseDirectory.course_id = "bench"\n')
    environment = {**os.environ, "PATH": f"{venv / 'bin'}:{os.environ['PATH']}", "JUPYTER_PLATFORM_DIRS": "1"}

    def run(*arguments: str) -> None:
        done = subprocess.run(
            [str(venv / "bin" / "nbgrader"), *arguments],
            cwd=course,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"nbgrader {' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")

    run("generate_assignment", "ps1", "--create")
    for i in range(students):
        folder = course / "submitted" / f"s{i:03d}" / "ps1"
        folder.mkdir(parents=True)
        (folder / "ps1.ipynb").write_text(notebook(body_of(i)))
    begun = time.perf_counter()
    run("autograde", "ps1")
    return time.perf_counter() - begun


def ours(students: int) -> float:
    """Seconds of `autograder grade` for the same notebooks."""
    folder = WORK / "trivial"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "assignment.toml").write_text(TOML)
    (folder / "test_hidden.py").write_text(CHECK)
    files = []
    for i in range(students):
        files.append(folder / f"s{i:03d}.ipynb")
        files[-1].write_text(notebook(body_of(i)))
    command = [str(Path(sys.executable).parent / "autograder"), "grade", str(folder), *map(str, files), "--json"]
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.exit(f"autograder grade failed:\n{done.stderr[-4000:]}")
    grades = {g["submission"]: g["score"] for g in map(json.loads, done.stdout.splitlines())}
    expected = {f.name: float(bool(i % 4)) for i, f in enumerate(files)}
    assert grades == expected, "a grade is wrong"
    return seconds


def alone(gradings: int) -> list[float]:
    """Overhead of gradings one by one, the first one cold."""
    # imported here, because every judge imports the script that started it
    from autograder.api import Node, Options, load, receive

    work = load(WORK / "trivial")
    with Node(Options(references=WORK, slots=1)) as node:
        return [node.grade(work, receive(WORK / "trivial" / "s001.ipynb", 64)).overhead_s for _ in range(gradings)]


def main() -> None:
    """Prints the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=100)
    parser.add_argument("--no-nbgrader", action="store_true")
    options = parser.parse_args()
    if options.students < 2:
        parser.error("--students must be 2 or more: the second one's notebook is graded by itself, too")
    WORK.mkdir(parents=True, exist_ok=True)
    seconds = ours(options.students)
    print(
        f"ours: {options.students} notebooks in {seconds:.1f} s, {seconds / options.students:.3f} s each (command start and end included)",
        flush=True,
    )
    one_by_one = alone(12)
    first, rest = one_by_one[0], one_by_one[1:]
    print(
        f"one at a time: overhead {first:.2f} s for the first, then median {statistics.median(rest):.2f} s, largest {max(rest):.2f} s",
        flush=True,
    )
    if not options.no_nbgrader:
        other = theirs(options.students)
        print(
            f"nbgrader autograde: {other:.1f} s, {other / options.students:.3f} s each; ours has {other / seconds:.1f} times its throughput"
        )


if __name__ == "__main__":
    main()
