"""`course validate`: what it counts, what it writes, and that a promise can be broken."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from autograder.api import Node, Options, receive
from autograder.cli import cli
from autograder.cli.promise import PROMISES, Promise, Tally, table
from autograder.cli.validation import _again, _dies, _side_by_side, _solution
from autograder.course.mutants import Mutant
from autograder.domain.verdict import Verdict
from autograder.errors import CourseError

from .. import conftest


def _tally(slug: str, *promises: Promise) -> Tally:
    made = Tally(slug)
    for promise in promises:
        made.count(promise)
    return made


def test_rows_of_other_folders_stay(tmp_path):
    """A table of many evenings: each run replaces its own rows."""
    page = tmp_path / "README.md"
    page.write_text(f"before\n<!-- {PROMISES.begin} -->\n<!-- {PROMISES.end} -->\nafter\n")
    lived = Promise("mutant m dies", False, about="mutant", good=9, tries=10)
    first = _tally("a2", Promise("solution s", True, about="solution", good=10, tries=10), lived)
    PROMISES.write(page, table([first], PROMISES.read(page)))
    PROMISES.write(page, table([_tally("a1"), _tally("a3")], PROMISES.read(page)))
    PROMISES.write(page, table([_tally("a3", lived, lived)], PROMISES.read(page)))
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n")
    rows = [line for line in text.splitlines() if line.startswith("| a")]
    assert [r.split("|")[1:4] for r in rows] == [
        [" a1 ", " – ", " – "],
        [" a2 ", " 1: 10 of 10 ", " 1: 9 of 10 "],
        [" a3 ", " – ", " 2: 18 of 20 "],
    ]
    assert not first.kept


def test_a_table_needs_its_marks(tmp_path):
    """Nothing is written into a file that has none, and nothing that was graded in part goes into a table."""
    page = tmp_path / "README.md"
    page.write_text("mine")
    with pytest.raises(CourseError, match="holds no line"):
        PROMISES.write(page, "x")
    found = CliRunner().invoke(cli, ["course", "validate", "--quick", "--output", str(page)])
    assert found.exit_code != 0 and page.read_text() == "mine"


@pytest.mark.docker
def test_a_quick_look_condemns_no_solution_for_a_slow_launch(engine, basic, tmp_path):
    """One pair may be slow for as long as it lives; whole gradings decide marks, and promises. What is wrong needs no second look."""
    honest = (basic.folder / "solutions" / "numpy_loop.py").read_text(encoding="utf-8")
    slow, wrong = tmp_path / "slow.py", tmp_path / "wrong.py"
    slow.write_text(honest + "\n_work = work\ndef work(x, steps): _work(x, steps); return _work(x, steps)\n")
    wrong.write_text(honest + "\n_work = work\ndef work(x, steps): return _work(x, steps) * 1.001\n")
    with Node(Options(references=conftest.FIXTURES / "reference", slots=1, pairs=1)) as quick:
        looked, found = list(_solution(basic, quick, slow)), list(_solution(basic, quick, wrong))
    assert not looked[0].kept and not found[0].kept
    assert looked[0].why.startswith("by one process pair speed 0.") and "by two speed: too-slow" in looked[0].why
    assert "formula: wrong-answer" in found[0].why and "by two" not in found[0].why


@pytest.mark.docker
def test_a_mutant_that_lives_is_found_every_time(node, basic):
    """Each is graded whole once, then for what it missed; one that dies in another way breaks its promise."""
    honest = (basic.folder / "solutions" / "numpy_loop.py").read_text(encoding="utf-8")
    wrong = honest + "\n_work = work\ndef work(x, steps): return _work(x, steps) * 1.001\n"
    crash = honest + "\ndef work(x, steps): raise ValueError\n"
    chosen = [
        Mutant("wrong", Verdict.WRONG_ANSWER, wrong),
        Mutant("crash", Verdict.CRASHED, crash),
        Mutant("other", Verdict.CRASHED, wrong),
    ]
    said: list[str] = []
    found = {p.what.split()[1]: p for p in _side_by_side(basic, node, chosen, 3, said.append)}
    assert {name: (p.kept, p.good, p.tries) for name, p in found.items()} == {
        "wrong": (True, 3, 3), "crash": (True, 3, 3), "other": (False, 0, 3),
    }  # fmt: skip
    assert len(said) == 9 and found["other"].why.startswith("0 of 3; found: ")


@pytest.mark.docker
def test_a_criterion_that_caught_a_mutant_by_chance_is_not_the_last_word(node, basic):
    """In a whole grading two catch this one; the first of them, alone, never does: it makes a call too few."""
    honest = (basic.folder / "solutions" / "numpy_loop.py").read_text(encoding="utf-8")
    fifth = "\n_work, calls = work, [0]\ndef work(x, steps): calls[0] += 1; return _work(x, steps) + (calls[0] == 5 and len(x) == 1000)\n"
    lucky = Mutant("lucky", Verdict.WRONG_ANSWER, honest + fifth + "\ndef fill(out, value=0.5): out[...] = -1.0\n")
    whole = _dies(lucky, node.grade(basic, lucky.submission))
    assert whole.where[:2] == ("formula", "in-place"), whole
    assert not _dies(lucky, node.grade(basic, lucky.submission, only="formula")).kept
    [found] = _side_by_side(basic, node, [lucky], 3, lambda _: None)
    assert (found.kept, found.good, found.tries) == (True, 3, 3), found
    living = Mutant("living", Verdict.WRONG_ANSWER, honest + fifth)
    [found] = _side_by_side(basic, node, [living], 3, lambda _: None)
    assert (found.kept, found.good) == (False, 1), found


@pytest.mark.docker
def test_a_quick_look_ends_at_the_first_check_that_fails(node, basic):
    """That one catches a mutant as the whole would; who dies elsewhere by another verdict is graded whole."""
    honest = (basic.folder / "solutions" / "numpy_loop.py").read_text(encoding="utf-8")
    wrong = (
        honest
        + "\n_work = work\ndef work(x, steps): return _work(x, steps) * 1.001\ndef fill(out, value=0.5): raise ValueError\n"
    )
    chosen = [Mutant("wrong", Verdict.WRONG_ANSWER, wrong), Mutant("crash", Verdict.CRASHED, wrong)]
    brief = node.grade(basic, chosen[0].submission, brief=True)
    verdicts = [c.verdict for c in brief.criteria]
    assert verdicts.count(Verdict.NOT_MEASURED) >= 2 and Verdict.CRASHED not in verdicts, verdicts
    whole = node.grade(basic, receive(basic.folder / "solutions" / "numpy_loop.py", 64), brief=True)
    assert {c.verdict for c in whole.criteria if c.duel is None} == {Verdict.PASSED} and whole.engine["brief"] is True
    found = {p.what.split()[1]: p for p in _side_by_side(basic, node, chosen, 1, lambda _: None, quick=True)}
    assert all(p.kept for p in found.values()), found
    assert len(found["wrong"].where) == 1 and "in-place" in found["crash"].where, found


def test_who_needs_a_whole_grading_gets_one():
    """One criterion alone may be over in time, or hang just so, or find nothing running where another check left it."""
    first, never = [Promise("m", True, where=("formula", "speed"))], [Promise("m", False)]
    slow, late = (Mutant("m", verdict, "") for verdict in (Verdict.TOO_SLOW, Verdict.TIMED_OUT))
    assert _again(slow, first) == ("formula", "speed")
    assert _again(slow, []) == _again(slow, never) == _again(late, []) == ("",)
    assert _again(late, first) == ("formula", "")
    assert _again(Mutant("m", Verdict.WORK_LEFT_RUNNING, ""), first) == ("",)
