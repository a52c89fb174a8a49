"""Outputs are put where their text stands, and never where nbgrader reads points from."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.utils import determine_grade

from autograder.api import Shown
from autograder.domain.shown import ShownCell
from hub.nbgrader_plugins.cells import NOTE, show

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # nbgrader's own
NUMBER = {"kind": "text", "text": "100"}


def ran(position: int, source: str, *outputs: dict[str, str], note: str = "") -> ShownCell:
    """A cell that was run."""
    return ShownCell(position, hashlib.sha256(source.encode()).hexdigest(), outputs, note)


def cell(source: str, **about: Any) -> NotebookNode:
    """A code cell of nbgrader's."""
    made = new_code_cell(source)
    if about:
        made.metadata["nbgrader"] = NotebookNode(about)
    return made


def test_outputs_belong_to_a_place_and_a_text() -> None:
    """Another text, another kind of cell, no such cell: nothing is written."""
    nb = new_notebook(cells=[cell("1"), new_markdown_cell("2"), cell("restored")])
    shown = (
        ran(0, "1", NUMBER),
        ran(1, "2", NUMBER),
        ran(2, "edited", NUMBER),
        ran(7, "1", NUMBER),
        ran(-1, "restored", NUMBER),
    )
    show(nb, Shown("n.ipynb", shown))
    assert [o.output_type for o in nb.cells[0].outputs] == ["display_data"]
    assert nb.cells[2].outputs == [] and len(nb.cells) == 3


@pytest.mark.parametrize(
    "about",
    [
        {"grade": True, "solution": False, "points": 100, "grade_id": "test", "locked": True},
        {"grade": True, "solution": False, "points": 100, "grade_id": "criterion-speed", "locked": True},
        {"grade": False, "solution": False, "grade_id": "criterion-speed", "locked": False},
    ],
)
def test_a_cell_that_gives_points_keeps_its_outputs(about: dict[str, Any]) -> None:
    """Whatever a run says that it showed."""
    nb = new_notebook(cells=[cell("check()", **about)])
    nb.cells[0].outputs = ["untouched"]
    show(nb, Shown("n.ipynb", (ran(0, "check()", NUMBER),)))
    assert nb.cells[0].outputs == ["untouched"]


def test_the_number_would_count_if_outputs_were_taken_as_they_come() -> None:
    """What a kernel calls a result, in a test cell, is a score of nbgrader's; so neither is ever written."""
    forged = cell("check()", grade=True, solution=False, points=100, grade_id="test", locked=True)
    forged.outputs = [new_output("execute_result", data={"text/plain": "100"}, execution_count=1)]
    assert determine_grade(forged)[0] == 100


def test_a_reason_stands_at_the_head() -> None:
    """And a sentence under the cell that was stopped."""
    nb = new_notebook(cells=[cell("1")])
    show(nb, "no node is there")
    assert nb.cells[0].id == NOTE and "no node is there" in nb.cells[0].outputs[0].data["text/plain"]
    nb = new_notebook(cells=[cell("1")])
    show(nb, Shown("n.ipynb", (ran(0, "1", note="It was stopped."),)))
    assert nb.cells[0].outputs[0].data == {"text/plain": "[autograder] It was stopped."}
