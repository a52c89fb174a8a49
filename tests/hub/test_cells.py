"""What a student's notebook shows, from a sandbox on a node to the feedback; and that no output is worth a point."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from autograder.api import Cluster, Dispatcher, Options, Shown, load
from hub.nbgrader_plugins.client import Refused, Service
from hub.nbgrader_plugins.gradebook import sync
from hub.nbgrader_plugins.source import PREFIX
from hub.service.gradebook import GradebookWriter

from .conftest import SLUG, Running, serving
from .work import COURSE, all_wrong

pytestmark = [
    pytest.mark.docker,
    pytest.mark.hub,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # nbgrader's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]
EXTRA = (
    "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint('a figure of ada', flush=True)",
    "from IPython.display import HTML\ndisplay(HTML('<script>steal()</script>'))\nprint('<script>steal()</script>')",
    "100",
)
FORGED = "print('forged here')\n100"


@pytest.fixture
def service(tmp_path: Path, engine: object) -> Iterator[Running]:
    """With a real dispatcher and node; only the verdict is made up."""
    made = []

    def grader(ledger: Any) -> Dispatcher:
        made.append(Dispatcher(ledger, Cluster("", Options(), cores=2), task=all_wrong))
        return made[0]

    with serving(tmp_path, grader) as running, made[0]:
        yield running


def forge(notebook: dict[str, Any]) -> None:
    """Cells of the student's own, and criterion cells that are made to look like them."""
    cells = notebook["cells"]
    for cell in cells:
        name = str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))
        if name.startswith(PREFIX) and cell["cell_type"] == "code":
            cell["source"] = FORGED
            cell["metadata"]["nbgrader"] |= {"grade": False, "solution": True, "locked": False}
            cell["outputs"] = [
                {"output_type": "execute_result", "data": {"text/plain": "100"}, "metadata": {}, "execution_count": 1}
            ]
            if name == f"{PREFIX}formula":
                del cell["metadata"]["nbgrader"]  # a cell like any other: it is run, and comes back as new
    cells[3:3] = [
        {"cell_type": "code", "id": f"own-{i}", "metadata": {}, "source": s, "outputs": [], "execution_count": None}
        for i, s in enumerate(EXTRA)
    ]


def test_figures_reach_the_feedback_and_numbers_no_score(
    service: Running, person: Callable[[str], Any], tmp_path: Path
) -> None:
    """Submit, grade, run, autograde, feedback: with the writer that waits for the run, as in the service."""
    folder = tmp_path / "course"
    sync(folder, SLUG, "", service.environment("ines"))
    ada = person("ada")
    ada.start("FetchAssignment")
    path = ada.home / SLUG / f"{SLUG}.ipynb"
    notebook = json.loads(path.read_text())
    forge(notebook)
    path.write_text(json.dumps(notebook))
    ada.start("Submit")
    writer = GradebookWriter(service.ledger, folder, service.url, "course", every_s=1.0, cells=service.desk.cells)
    writer._told |= service.environment("tess")
    service.desk.grader.on_recorded(writer.recorded)
    with writer:
        until = time.monotonic() + 120
        while writer.owed() or not writer._written.read():
            assert time.monotonic() < until
            time.sleep(0.2)
    assert writer._written.read()[SLUG, "ada"].endswith("+cells")
    with Gradebook(f"sqlite:///{folder}/gradebook.db", "course") as gradebook:
        found = gradebook.find_submission(SLUG, "ada")
        scores = {g.name: g.auto_score for n in found.notebooks for g in n.grades}
        assert found.student.last_name == "ada" and found.student.first_name is not None
    assert {scores[PREFIX + c.id] for c in load(COURSE / SLUG).criteria} == {0.0}
    kept = json.loads((folder / "autograded" / "ada" / SLUG / f"{SLUG}.ipynb").read_text())
    for cell in (c for c in kept["cells"] if c["cell_type"] == "code"):
        ours = cell["metadata"].get("nbgrader", {}).get("grade_id", "").startswith(PREFIX)
        results = [o for o in cell["outputs"] if o["output_type"] == "execute_result"]
        assert ["".join(o["data"]["text/plain"]) for o in results] == (["0.0"] if ours else [])
        assert not ours or "forged" not in json.dumps(cell)
    page = (folder / "feedback" / "ada" / SLUG / f"{SLUG}.html").read_text()
    assert "data:image/png;base64,iVBOR" in page and "a figure of ada" in page
    assert "<math " in page and "cdnjs" not in page, "formulas, and nothing from elsewhere"
    assert "<script>steal" not in page and "&lt;script&gt;steal" in page


def test_a_run_is_kept_and_shown_to_staff_alone(service: Running) -> None:
    """The second asking runs nothing; a student may not ask."""
    raw = json.dumps(
        {
            "nbformat": 4,
            "metadata": {},
            "cells": [{"cell_type": "code", "source": "# export\nprint(6 * 7)", "metadata": {}}],
        }
    ).encode()
    about = {"course": "course", "assignment": SLUG, "student": "bob", "channel": "api"}
    receipt = service.ledger.submit(name="x.ipynb", content=raw, **about)
    path = ("exchange", "course", "cells", str(receipt.submission))
    with Service(service.url, service.tokens["bob"]) as bob, pytest.raises(Refused, match="staff"):
        bob.json("GET", *path)
    with Service(service.url, service.tokens["tess"]) as tess:
        shown = Shown.from_json(tess.json("GET", *path, wait="60"))
        assert [o["text"] for c in shown.cells for o in c.outputs] == ["42\n"]
        running: Any = service.desk.grader
        running.close()  # no node is left
        assert Shown.from_json(tess.json("GET", *path)) == shown
