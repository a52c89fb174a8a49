"""What was graded against has a name, and another one as soon as it could decide otherwise."""

import shutil

import pytest

from autograder.api import load
from autograder.course.version import version

from ..conftest import FIXTURES


@pytest.mark.parametrize(
    ("path", "another"),
    [
        ("test_hidden.py", True),
        ("assignment.toml", True),
        ("solutions/numpy_loop.py", True),
        ("solutions/other_way.py", False),
        ("mutants/three_times.py", False),
        ("t_basic.ipynb", False),
    ],
)
def test_it_changes_with_what_decides(basic, tmp_path, path, another):
    """Checks, settings, and the program that controls a loss; not the other programs."""
    folder = tmp_path / "t_basic"
    shutil.copytree(basic.folder, folder)
    before = version(load(folder), FIXTURES / "reference")
    with (folder / path).open("a") as file:
        file.write("\n# changed\n")
    assert (version(load(folder), FIXTURES / "reference") != before) is another
