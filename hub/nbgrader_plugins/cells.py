"""Puts what a notebook's cells showed, when the service ran them in a sandbox, into the autograded notebook.

Outputs belong to a place and a text: a cell that nbgrader restored, or that was edited since, gets none. Cells whose
outputs nbgrader reads points from get none, whatever was run; and no output is an `execute_result`, which is what
nbgrader reads points from.
"""

from __future__ import annotations

import hashlib
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from autograder.api import CELLS_NOT_RUN, Shown
from hub.nbgrader_plugins.client import Service, ServiceError
from hub.nbgrader_plugins.source import PREFIX

NOTE = "autograder-cells"


def fetch(service: Service, course_id: str, submission: int, wait_s: float) -> Shown | str:
    """What the service has, or the reason why there is nothing."""
    try:
        return Shown.from_json(service.json("GET", "exchange", course_id, "cells", str(submission), wait=f"{wait_s:g}"))
    except ServiceError as error:
        return str(error).strip().rstrip(".")
    except (ValueError, KeyError, TypeError):
        return "the service's answer is of another version"


def show(nb: NotebookNode, shown: Shown | str) -> None:
    """Writes outputs into cells, or a note at the head of the notebook; `nb` has its cells in the order of handing in."""
    if isinstance(shown, str):
        words = CELLS_NOT_RUN.format(why=shown)
        cell = new_code_cell("# About this notebook", id=NOTE)
        cell.outputs = [new_output("display_data", data={"text/plain": words})]
        nb.cells.insert(0, cell)
        return
    for one in shown.cells:
        if not 0 <= one.position < len(nb.cells):
            continue
        cell = nb.cells[one.position]
        same = hashlib.sha256(cell.source.encode("utf-8", "surrogatepass")).hexdigest() == one.sha256
        if cell.cell_type == "code" and same and not _gives_points(cell):
            cell.outputs = [_output(o) for o in one.outputs]
            if one.note:
                cell.outputs.append(new_output("display_data", data={"text/plain": f"[autograder] {one.note}"}))
            cell.execution_count = None


def _gives_points(cell: NotebookNode) -> bool:
    about = cell.metadata.get("nbgrader", {})
    automatic = about.get("grade", False) and not about.get("solution", False)
    return bool(automatic) or str(about.get("grade_id", "")).startswith(PREFIX)


def _output(shown: dict[str, Any]) -> NotebookNode:
    match shown["kind"]:
        case "stream":
            return new_output("stream", name=shown["name"], text=shown["text"])
        case "error":
            lines = shown["traceback"].split("\n")
            return new_output("error", ename=shown["ename"], evalue=shown["evalue"], traceback=lines)
        case "image":
            return new_output("display_data", data={"image/png": shown["png"], "text/plain": "A figure"})
    return new_output("display_data", data={"text/plain": shown["text"]})
