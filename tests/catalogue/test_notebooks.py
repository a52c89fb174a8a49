"""Every notebook runs from top to bottom with its solution, and its exported code is the solution."""

import ast
import base64
import io
import json
import os
import re
import tarfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import docker
import nbformat
import pytest

from autograder.api import Options, all_folders, load
from autograder.course.notebook import extract, text_of
from autograder.course.release import starter

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


@pytest.mark.parametrize("folder", all_folders(ASSIGNMENTS), ids=lambda f: f.name)
def test_the_handout_states_the_limits_that_decide_points(folder):
    """How long a call and the import may take: each number stands in one sentence with its subject, and with its unit."""
    cells = json.loads((folder / f"{folder.name}.ipynb").read_bytes())["cells"]
    given = [c for c in cells if c["cell_type"] == "markdown" and not c["metadata"].get("nbgrader", {}).get("grade")]
    handout = " ".join(" ".join(map(text_of, given)).split())
    limits = load(folder).limits
    for subject, seconds in ((r"calls?\b", limits.call_s), (r"import(?:ed|ing|s)?\b", limits.load_s)):
        assert re.search(rf"\b{subject}[^.]*\b{seconds:g} s\b", handout, re.IGNORECASE), (subject, seconds)


@pytest.mark.parametrize("folder", all_folders(ASSIGNMENTS), ids=lambda f: f.name)
def test_a_handout_that_is_written_in_part_can_be_imported(folder):
    """No statement of the released module, and of its classes, raises: what is done counts, whatever is still open."""
    source, _ = extract(json.dumps(starter(load(folder))).encode())
    tree = ast.parse(source)
    at_import = [n for s in tree.body for n in (s.body if isinstance(s, ast.ClassDef) else [s])]
    assert at_import and not [n.lineno for n in at_import if isinstance(n, ast.Raise)]


EXECUTE = """
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read("it.ipynb", as_version=4)
NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
nbformat.write(notebook, "done.ipynb")
"""


@pytest.fixture(scope="module")
def executed(request, engine):
    """The cells of each notebook that is asked for, after a run in the student image: as many at once as there are cores."""
    asked = [item.callspec.params["folder"] for item in request.session.items if "executed" in item.fixturenames]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {folder: pool.submit(execute, folder) for folder in asked}
        pool.shutdown(cancel_futures=True)


def execute(folder):
    """The whole notebook in a container of its own, without a network."""
    home, image = "/home/jovyan", Options().student_image
    with closing(docker.from_env()) as client:
        container = client.containers.create(
            image, ["python", "-c", EXECUTE], working_dir=home, network_mode="none", mem_limit="2g", pids_limit=512
        )
        try:
            container.put_archive(home, packed("it.ipynb", (folder / f"{folder.name}.ipynb").read_bytes()))
            container.start()
            status = container.wait(timeout=280)["StatusCode"]
            assert status == 0, container.logs()[-3000:].decode("utf-8", "replace")
            stream, _ = container.get_archive(f"{home}/done.ipynb")
            with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
                return json.loads(archive.extractfile("done.ipynb").read())["cells"]
        finally:
            container.remove(force=True)


@pytest.mark.timeout(300)
@pytest.mark.docker
@pytest.mark.parametrize("folder", all_folders(ASSIGNMENTS), ids=lambda f: f.name)
def test_the_notebook_runs_from_top_to_bottom(folder, executed, tmp_path):
    """In the student image, where students have nothing else, with the solution in; it draws at least one figure.

    AUTOGRADER_FIGURES names a folder that keeps the figures, for looking at.
    """
    outputs = [o.get("data", {}) for c in executed[folder].result() for o in c.get("outputs", [])]
    figures = [base64.b64decode(data["image/png"]) for data in outputs if "image/png" in data]
    assert figures
    kept = Path(os.environ.get("AUTOGRADER_FIGURES", tmp_path))
    for i, figure in enumerate(figures):
        (kept / f"{folder.name}-{i}.png").write_bytes(figure)


def packed(name, content):
    """A tar archive of one file of the image's user."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size, entry.uid, entry.gid = len(content), 1000, 1000
        archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()
