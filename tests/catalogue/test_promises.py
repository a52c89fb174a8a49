"""Every assignment keeps its promises: solutions earn full marks, mutants die as named, nothing secret is released."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from autograder.api import Node, Options, all_folders, load, receive
from autograder.cli.validation import validate

ASSIGNMENTS = Path(__file__).resolve().parents[2] / "assignments"
SIMULATED = ("a13_gpu_advection", "a14_gpu_scan")  # a simulator runs every thread in Python: minutes for a folder
FOLDERS = [
    pytest.param(f, marks=pytest.mark.slow if f.name in SIMULATED else (), id=f.name) for f in all_folders(ASSIGNMENTS)
]


@pytest.mark.docker
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folder_keeps_its_promises(folder, engine):
    """As `autograder course validate --quick` says."""
    said = io.StringIO()
    assert validate(load(folder), Console(file=said, width=200), quick=True).kept, said.getvalue()


@pytest.mark.docker
@pytest.mark.parametrize(
    "name, program",
    [("a12_gpu_network", "numba_kernel"), ("a13_gpu_advection", "triton_rows"), ("a14_gpu_scan", "triton_tiles")],
)
def test_a_gpu_assignment_is_graded_without_a_gpu(name, program, engine):
    """Under Numba's simulator and Triton's interpreter: all that is not timed in full, all that is timed waits."""
    assignment = load(ASSIGNMENTS / name)
    with Node(Options(gpus=())) as node:
        grade = node.grade(assignment, receive(assignment.folder / f"solutions/{program}.py", 1024))
    timed = {c.id for c in assignment.criteria if c.kind.timed}
    expected = {c.id: "waiting-for-hardware" if c.id in timed else "passed" for c in assignment.criteria}
    assert {c.id: str(c.verdict) for c in grade.criteria} == expected and grade.score == 45


@pytest.mark.parametrize("folder", all_folders(ASSIGNMENTS), ids=lambda f: f.name)
def test_points_add_up(folder):
    """45 hidden correctness, 40 performance, 15 written."""
    assignment = load(folder)
    assert sum(c.points for c in assignment.criteria if not c.kind.timed) == 45
    assert sum(c.points for c in assignment.criteria if c.kind.timed) == 40
    assert assignment.written_points == 15
