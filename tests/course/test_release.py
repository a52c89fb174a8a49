"""The student's copy: what is in it, and what it never takes the place of."""

import json
import shutil

import pytest

from autograder.api import load, release
from autograder.course.release import starter
from autograder.errors import CourseError


@pytest.fixture
def folder(basic, tmp_path):
    """A course of one assignment, which may be lost."""
    copy = tmp_path / "assignments" / basic.slug
    shutil.copytree(basic.folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def files(folder):
    """Every file, by name and bytes."""
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_release_never_takes_the_place_of_its_assignment(folder):
    """`--to assignments`, and `--to .` from there: hidden checks, solutions and mutants would be gone."""
    before = files(folder)
    (folder.parent / "link").symlink_to(folder.parent)
    for target in (folder.parent, folder.parent / "link", folder):
        with pytest.raises(CourseError, match="where the assignment itself lies"):
            release(load(folder), target)
    assert files(folder) == before


def test_a_release_replaces_a_release_and_nothing_else(folder, tmp_path):
    """An older copy is made anew; a student's work of the same name is not thrown away."""
    target = tmp_path / "out"
    first = release(load(folder), target)
    (target / folder.name / "test_public.py").write_text("old")
    assert release(load(folder), target) == first and files(target / folder.name).keys() == {
        p.relative_to(target / folder.name) for p in first
    }
    assert (target / folder.name / "test_public.py").read_text() != "old"
    (target / folder.name / "mine.py").write_text("x = 1")
    with pytest.raises(CourseError, match=r"holds mine\.py"):
        release(load(folder), target)
    (target / folder.name / "mine.py").rename(target / folder.name / ".DS_Store")
    assert release(load(folder), target) == first  # litter is nobody's work
    work = tmp_path / "home" / folder.name
    work.mkdir(parents=True)
    (work / f"{folder.name}.ipynb").write_text("mine")
    with pytest.raises(CourseError, match="release to another folder"):
        release(load(folder), work.parent)
    assert (work / f"{folder.name}.ipynb").read_text() == "mine" and [p.name for p in target.iterdir()] == [folder.name]


def test_a_release_that_fails_leaves_the_older_one(folder, tmp_path):
    """It is made beside it first."""
    release(load(folder), tmp_path / "out")
    before = files(tmp_path / "out")
    (folder / f"{folder.name}.ipynb").write_text("no notebook")
    with pytest.raises(CourseError, match="is not a notebook"):
        release(load(folder), tmp_path / "out")
    assert files(tmp_path / "out") == before


def test_an_adapter_is_released(folder, tmp_path):
    """It runs beside the student's code, at home, too."""
    (folder / "adapter.py").write_text("def work(x, steps):\n    return x\n")
    release(load(folder), tmp_path / "out")
    assert (tmp_path / "out" / folder.name / "adapter.py").is_file()


CELL = '''
### BEGIN SOLUTION
HALF = 0.5
### END SOLUTION


class Dual:
    """A pair."""

    ### BEGIN SOLUTION
    def __init__(self, value):
        self.value = value
    ### END SOLUTION

    def twice(self):
        ### BEGIN SOLUTION
        return 2 * self.value
        ### END SOLUTION


def work(x):
    """Return it."""
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION


if HALF:
    ### BEGIN SOLUTION
    work = abs
    ### END SOLUTION
'''


def test_what_is_not_written_yet_does_not_end_the_import(folder):
    """A stub outside functions raises nothing, or a student who has written one of four functions would have none."""
    path = folder / f"{folder.name}.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"] = [
        {"cell_type": "code", "metadata": {"tags": ["export"]}, "source": f"%matplotlib inline\nHALF = 1{CELL}"}
    ]
    path.write_text(json.dumps(notebook))
    source = starter(load(folder))["cells"][0]["source"]
    names = {}
    exec(source.replace("%matplotlib inline", ""), names)
    for unwritten in (lambda: names["work"](1), lambda: names["Dual"]().twice()):
        with pytest.raises(NotImplementedError):
            unwritten()
    assert "0.5" not in source and "abs" not in source
