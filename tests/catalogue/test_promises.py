"""Every assignment keeps its promises: solutions earn full marks, mutants die as named, nothing secret is released."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from autograder.api import all_folders, load
from autograder.cli.validation import validate

ASSIGNMENTS = Path(__file__).resolve().parents[2] / "assignments"


@pytest.mark.docker
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("folder", all_folders(ASSIGNMENTS), ids=lambda f: f.name)
def test_the_folder_keeps_its_promises(folder, engine):
    """As `autograder course validate --quick` says."""
    said = io.StringIO()
    assert validate(load(folder), Console(file=said, width=200), quick=True), said.getvalue()


@pytest.mark.parametrize("folder", all_folders(ASSIGNMENTS), ids=lambda f: f.name)
def test_points_add_up(folder):
    """45 hidden correctness, 40 performance, 15 written."""
    assignment = load(folder)
    assert sum(c.points for c in assignment.criteria if not c.kind.timed) == 45
    assert sum(c.points for c in assignment.criteria if c.kind.timed) == 40
    assert assignment.written_points == 15
