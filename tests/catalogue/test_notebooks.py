"""Every notebook runs from top to bottom with its solution, and its exported code is the solution."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.api import all_folders, load
from autograder.course.notebook import extract

ASSIGNMENTS = Path(__file__).resolve().parents[2] / "assignments"


@pytest.mark.parametrize("folder", all_folders(ASSIGNMENTS), ids=lambda f: f.name)
def test_the_notebook_is_valid_and_exports_the_declared_functions(folder):
    """nbformat agrees, outputs are stripped, and every declared function is in the exported cells."""
    path = folder / f"{folder.name}.ipynb"
    raw = path.read_bytes()
    nbformat.validate(json.loads(raw))
    assert not any(c.get("outputs") for c in json.loads(raw)["cells"])
    source = extract(raw)[0].decode()
    for function in load(folder).functions:
        assert f"def {function.name}(" in source


EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=240, resources={"metadata": {"path": sys.argv[2]}}, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2] + "/done.ipynb")
"""


@pytest.mark.timeout(300)
@pytest.mark.docker
@pytest.mark.parametrize("folder", all_folders(ASSIGNMENTS), ids=lambda f: f.name)
def test_the_notebook_runs_from_top_to_bottom(folder, tmp_path):
    """In a kernel of this environment, with the solution in; it draws at least one figure."""
    command = [sys.executable, "-c", EXECUTE, str(folder / f"{folder.name}.ipynb"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    cells = json.loads((tmp_path / "done.ipynb").read_text())["cells"]
    assert any("image/png" in o.get("data", {}) for c in cells for o in c.get("outputs", []))
