"""`%autograde` beside the code, and on the grading hardware."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.testing.globalipapp import start_ipython

from autograder.api import Fault, Grade, Verdict, load, release
from autograder.domain.grade import CriterionResult
from hub.magic.autograde import Shown, autograde
from hub.nbgrader_plugins.client import FINAL

from .conftest import COURSE, SLUG, Running

magic = import_module("hub.magic.autograde")  # in the package, the function has that name


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The student's folder, with the teacher's solution in it, as the current one."""
    release(load(COURSE / SLUG), tmp_path)
    whole = (COURSE / SLUG / f"{SLUG}.ipynb").read_text()
    (tmp_path / SLUG / f"{SLUG}.ipynb").write_text(whole)
    monkeypatch.chdir(tmp_path / SLUG)
    return tmp_path / SLUG


def test_public_checks_run_in_place(fetched: Path) -> None:
    """A right solution passes; the table and the text say the same."""
    shown = autograde("")
    assert isinstance(shown, Shown)
    assert {row[0] for row in shown.rows} == {"passed"}
    assert "✓" in repr(shown) and "<table>" in shown._repr_html_()


def test_a_wrong_answer_is_shown(fetched: Path) -> None:
    """The released notebook has no solution yet."""
    (fetched / f"{SLUG}.ipynb").write_text(
        json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    shown = autograde("")
    assert shown is None or "✗" in repr(shown)


@pytest.mark.parametrize("line", ["nothing_of_that_name", "--file missing.ipynb", "--unknown", "'"])
def test_mistakes_are_sentences(fetched: Path, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback for a wrong word."""
    assert autograde(line) is None
    assert capsys.readouterr().out.strip()


def test_a_remote_try_follows_the_queue(
    service: Running, person: Callable[..., Any], fetched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is recorded as a try, shown with its report, and holds no seed."""
    person("ada")
    shown: list[Shown | None] = []
    trying = threading.Thread(target=lambda: shown.append(autograde("--remote")))
    trying.start()
    until = threading.Event()
    while not service.ledger.entries("course") and trying.is_alive():
        until.wait(0.02)
    service.record(lambda c: c.points)
    trying.join(30)
    (result,) = shown
    assert result is not None and "a try, not a grade" in result.heading
    assert "<html" in result.page and "SECRET-SEED" not in result._repr_html_()
    assert str(service.ledger.entries("course")[0].purpose) == "try"


@pytest.mark.parametrize("verdict", [v for v in Verdict if v.fault is Fault.OURS])
def test_what_is_ours_is_not_shown_as_the_students(verdict: Verdict) -> None:
    """Neither crossed out nor counted as failed."""
    shown = Shown("h", ((str(verdict), "T", "S", 0.0, 5.0),))
    for text in (repr(shown), shown._repr_html_()):
        assert "…" in text and "✗" not in text


def test_a_verdict_that_is_not_known_here_is_shown() -> None:
    """A service may be newer than a student's image."""
    assert "✗ T [dancing]" in repr(Shown("h", (("dancing", "T", "S", 0.0, 5.0),)))


class Fake:
    """A service, or a node, that has come to an end."""

    def __init__(self, *_: Any) -> None:
        self.entry: dict[str, Any] = {}

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def json(self, *_: Any, **__: Any) -> Any:
        """A receipt."""
        return {"receipt": {"submission": 7}}

    def send(self, *_: Any, **__: Any) -> Any:
        """A report."""
        return SimpleNamespace(text="<html>")

    def wait(self, *_: Any) -> dict[str, Any]:
        """What a test says."""
        return self.entry

    def grade(self, *_: Any, **__: Any) -> Grade:
        """One passed, one waits."""
        found = (Verdict.PASSED, Verdict.WAITING_FOR_HARDWARE)
        return Grade("a", "n", "0", tuple(CriterionResult(v, v, 0, 0, v, "S", True) for v in found), {}, {}, 1.0, 0.1)


def remote(monkeypatch: pytest.MonkeyPatch, **entry: Any) -> Shown | None:
    """A try that ends so."""
    service = Fake()
    service.entry = {"problem": "", "grade": None} | entry
    monkeypatch.setattr(magic, "connect", lambda: service)
    return autograde("--remote")


@pytest.mark.parametrize("state", ["queued", "running", *(s for s in FINAL if s != "graded")])
def test_only_what_is_in_the_queue_keeps_its_place(
    fetched: Path, state: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the rest one reads what became of it."""
    assert remote(monkeypatch, state=state, problem="Something failed on our side.") is None
    said = capsys.readouterr().out
    assert ("keeps its place" in said) is (state not in FINAL)
    assert f"try 7 is {state}. Something failed on our side. It" in said


def test_what_waits_is_counted_apart(fetched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the code, and on the grading hardware."""
    monkeypatch.setattr(magic, "Node", Fake)
    here = autograde("")
    grade = {"criteria": [c | {"verdict": "inconclusive"} for c in Fake().grade().to_json()["criteria"]]}
    there = remote(monkeypatch, state="graded", grade=grade, score=3.0, max_score=9.0)
    assert here is not None and "1 of 2 public checks passed; 1 not decided" in here.heading
    assert there is not None and "3 of 9 points; 2 not decided" in there.heading


@pytest.mark.filterwarnings("ignore")  # IPython's own, in a global shell
def test_it_is_a_magic() -> None:
    """`%load_ext hub.magic` registers it."""
    shell = start_ipython() or __import__("IPython").get_ipython()
    shell.run_line_magic("load_ext", "hub.magic")
    assert "autograde" in shell.magics_manager.magics["line"]
