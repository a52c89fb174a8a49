"""Submissions without a notebook of the released name get one."""

import json
from pathlib import Path

import pytest

from hub.nbgrader_plugins.source import build
from hub.nbgrader_plugins.stand_in import ELSEWHERE, HANDED_IN, stand_in

from .conftest import COURSE, SLUG

MODULE = b"def heat_step(u):\n    return u\n"


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """What students got."""
    return build(SLUG, tmp_path / "c", COURSE)


def handed_in(folder: Path, files: dict[str, bytes]) -> Path:
    """A submission, as it was collected."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    "files, made_of",
    [
        ({"solution.py": MODULE}, "solution.py"),
        ({"heat.py": MODULE, "notes.txt": b"x"}, "heat.py"),
        ({"mine/solution.py": MODULE, "mine/mine/solution.py": b"", "mine/helper.py": b""}, "mine/solution.py"),
        ({"solution.py": MODULE, "helper.py": b"", "mine/notes.txt": b""}, "solution.py"),
    ],
)
def test_a_module_is_shown_in_the_first_answer(tmp_path, released, files, made_of):
    """The other answers say where it is; all that the course wrote stays, and so does the module itself."""
    folder = handed_in(tmp_path / "s", files)
    assert stand_in(folder, released) == made_of
    there = json.loads((folder / f"{SLUG}.ipynb").read_text())["cells"]
    before = json.loads((released / f"{SLUG}.ipynb").read_text())["cells"]
    name = Path(made_of).name
    changed = [now for was, now in zip(before, there, strict=True) if was != now]
    assert [c["source"] for c in changed] == [
        f"{HANDED_IN.format(name)}\n{MODULE.decode()}",
        *[ELSEWHERE.format(name)] * (len(changed) - 1),
    ]
    assert changed and all(c["metadata"]["nbgrader"]["solution"] for c in changed)
    assert (folder / made_of).read_bytes() == MODULE


@pytest.mark.parametrize("beside", ["data.csv", "solution.py", "packed/solution.py"])
@pytest.mark.parametrize("name", ["mine.ipynb", "packed/deep/mine.ipynb"])
def test_a_notebook_of_another_name_gets_the_released_one(tmp_path, released, name, beside):
    """It is moved: nbgrader takes a second one for an extra notebook. It holds the written answers, whatever else is graded."""
    folder = handed_in(tmp_path / "s", {name: b'{"cells": []}', beside: b"1"})
    assert stand_in(folder, released) == name
    assert (folder / f"{SLUG}.ipynb").read_bytes() == b'{"cells": []}' and not (folder / name).exists()


@pytest.mark.parametrize(
    "files",
    [
        {f"{SLUG}.ipynb": b"{}", "solution.py": MODULE},
        {"a.py": b"", "b.py": b""},
        {"a.ipynb": b"", "b.ipynb": b"", "solution.py": MODULE},
        {"a.txt": b""},
        {},
    ],
    ids=["its own", "two modules", "two notebooks", "neither", "nothing"],
)
def test_what_is_whole_or_unclear_stays_as_it_is(tmp_path, released, files):
    """The notebook that was handed in is shown, and nothing is made of what could not be graded either."""
    (tmp_path / "s").mkdir()
    folder = handed_in(tmp_path / "s", files)
    assert stand_in(folder, released) == ""
    assert {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == files


def test_bytes_that_are_no_text_are_shown_as_far_as_they_are(tmp_path, released):
    """nbgrader reads notebooks strictly; the module's own bytes stay."""
    folder = handed_in(tmp_path / "s", {"solution.py": b"# \xff\x00\x1b[31m\nx = 1\n"})
    assert stand_in(folder, released) == "solution.py"
    raw = (folder / f"{SLUG}.ipynb").read_bytes()
    assert raw.isascii() and any("x = 1" in c["source"] for c in json.loads(raw)["cells"])


def test_without_a_released_version_nothing_is_made(tmp_path):
    """A course directory in which the assignment was never generated."""
    folder = handed_in(tmp_path / "s", {"solution.py": MODULE})
    assert stand_in(folder, tmp_path / "nowhere") == ""
