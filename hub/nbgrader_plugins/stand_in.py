"""A notebook for who handed in none: nbgrader grades, and gives feedback on, what bears a released notebook's name.

A module is shown in the released notebook, in the place of its first answer; the only notebook, under another name or
inside a packed folder, is given the released one's. What is graded is what was handed in, whatever nbgrader shows of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autograder.api import main_file
from hub.nbgrader_plugins.archive import regular_files

HANDED_IN = "# Handed in as {}, without a notebook."
ELSEWHERE = "# In {}, which is shown in the first answer."


def stand_in(folder: Path, released: Path) -> str:
    """Gives a collected submission its notebook, where it has none.

    Args:
        folder: the submission's files.
        released: the students' version of the assignment; unless it has exactly one notebook, nothing is done.

    Returns:
        The file that the notebook was made of; empty if nothing was to be done, or nothing is there to make it of.
    """
    known = sorted(released.glob("*.ipynb"))
    if len(known) != 1 or (folder / known[0].name).exists():
        return ""
    names = [p.relative_to(folder).as_posix() for p in regular_files(folder)]
    notebooks = [n for n in names if n.endswith(".ipynb")]
    # the only notebook holds the written answers, even where a module beside it is what the judge grades
    chosen = notebooks[0] if len(notebooks) == 1 else None if notebooks else main_file(names)
    if chosen is None:
        return ""
    target, source = folder / known[0].name, folder / chosen
    if source.suffix == ".ipynb":
        source.rename(target)
    else:
        text = source.read_bytes().decode("utf-8", "replace")
        notebook = filled(json.loads(known[0].read_text(encoding="utf-8")), text, source.name)
        target.write_text(json.dumps(notebook, indent=1) + "\n", encoding="utf-8")
    return chosen


def filled(notebook: dict[str, Any], text: str, name: str) -> dict[str, Any]:
    """The released notebook with a module in its first answer, and in its other ones a word about where they are."""
    answers = [c for c in notebook["cells"] if c["cell_type"] == "code" and _is_answer(c)]
    for cell in answers[1:]:
        cell["source"] = ELSEWHERE.format(name)
    whole = f"{HANDED_IN.format(name)}\n{text}"
    if answers:
        answers[0]["source"] = whole
    else:
        cell = {"cell_type": "code", "metadata": {}, "source": whole, "outputs": [], "execution_count": None}
        # a cell's id belongs to the format from 4.5 on
        has_ids = (notebook["nbformat"], notebook["nbformat_minor"]) >= (4, 5)
        notebook["cells"].append(cell | ({"id": "handed-in"} if has_ids else {}))
    return notebook


def _is_answer(cell: dict[str, Any]) -> bool:
    about = cell["metadata"].get("nbgrader", {})
    return bool(about.get("solution")) and not about.get("locked")
