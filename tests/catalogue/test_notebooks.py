"""Every notebook runs from top to bottom with its solution, and its exported code is the solution."""

import asyncio
import json
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


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")
@pytest.mark.parametrize("folder", all_folders(ASSIGNMENTS), ids=lambda f: f.name)
@pytest.mark.docker
def test_the_notebook_runs_from_top_to_bottom(folder, tmp_path):
    """In a kernel of this environment, with the solution in; it draws at least one figure."""
    from nbclient import NotebookClient

    if sys.platform != "win32":
        asyncio.set_event_loop(asyncio.new_event_loop())
    notebook = nbformat.read(folder / f"{folder.name}.ipynb", as_version=4)
    client = NotebookClient(
        notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}, kernel_name="python3"
    )
    client.execute()
    outputs = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    assert any("image/png" in o.get("data", {}) for o in outputs)
