"""Mutants: files of their own, or a solution, or another mutant, with a few edits."""

from __future__ import annotations

import shutil

import pytest

from autograder.api import CourseError, load
from autograder.course.mutants import FILE, mutants
from autograder.domain.verdict import Verdict

ROW = """
[[mutant]]
name = "{name}"
dies_by = "wrong-answer"
of = "{of}"
why = "twice"
edits = [["return y", "return 2 * y"]]
"""


@pytest.fixture
def folder(basic, tmp_path):
    """A copy of the test assignment with a solution and a slow mutant."""
    target = tmp_path / "t_basic"
    shutil.copytree(basic.folder, target)
    (target / FILE).unlink(missing_ok=True)
    shutil.rmtree(target / "mutants", ignore_errors=True)
    (target / "mutants").mkdir()
    (target / "solutions" / "fast.py").write_text("def work(x, steps):\n    y = x\n    return y\n")
    (target / "mutants" / "slow.py").write_text(
        "# dies by: too-slow\ndef work(x, steps):\n    y = x * 1\n    return y\n"
    )
    return target


def test_edits_of_a_solution_and_of_a_mutant(folder):
    """A program that is merely slow can be made wrong, too."""
    (folder / FILE).write_text(ROW.format(name="a", of="fast.py") + ROW.format(name="b", of="slow.py"))
    found = {m.name: m for m in mutants(load(folder))}
    assert {n: m.dies_by for n, m in found.items()} == {
        "a": Verdict.WRONG_ANSWER, "b": Verdict.WRONG_ANSWER, "slow": Verdict.TOO_SLOW,
    }  # fmt: skip
    assert "y = x\n    return 2 * y" in found["a"].source and "y = x * 1\n    return 2 * y" in found["b"].source


def test_what_is_edited_must_be_there(folder):
    """The file and the key are named."""
    (folder / FILE).write_text(ROW.format(name="a", of="nobody.py"))
    with pytest.raises(CourseError, match=r"mutants\.toml: a: of.*nor one in mutants/"):
        mutants(load(folder))
    (folder / FILE).write_text(ROW.format(name="a", of="fast.py").replace("return y", "return z"))
    with pytest.raises(CourseError, match="occurs 0 times in fast"):
        mutants(load(folder))
