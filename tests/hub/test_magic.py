"""`%autograde` beside the code, and on the grading hardware."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from IPython.testing.globalipapp import start_ipython

from autograder.api import load, release
from hub.magic.autograde import Shown, autograde

from .conftest import COURSE, SLUG, Running


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


@pytest.mark.filterwarnings("ignore")  # IPython's own, in a global shell
def test_it_is_a_magic() -> None:
    """`%load_ext hub.magic` registers it."""
    shell = start_ipython() or __import__("IPython").get_ipython()
    shell.run_line_magic("load_ext", "hub.magic")
    assert "autograde" in shell.magics_manager.magics["line"]
