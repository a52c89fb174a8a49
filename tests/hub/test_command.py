"""`autograder hub`: options are heeded or refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub import command, proxy


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where the state of a started hub would lie; nothing is started."""
    seen: list[str] = []

    def start(*_: object) -> None:
        seen.append(os.environ.get("AUTOGRADER_STATE", ""))
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", start)
    monkeypatch.setattr(proxy, "ensure", list)
    monkeypatch.setenv("AUTOGRADER_STATE", "/srv/state")
    return seen


def test_the_state_folder_is_the_one_that_was_named(started: list[str], tmp_path: Path) -> None:
    """By the option, or by the variable where there is none."""
    for options in ([], ["--state", str(tmp_path)]):
        assert CliRunner().invoke(command.begin, options).exit_code == 0
    assert started == ["/srv/state", str(tmp_path)]


@pytest.mark.parametrize(
    ("options", "words"), [(["--port", "80"], "AUTOGRADER_HUB_BIND"), (["--assignment", "a"], "gradebook")]
)
def test_what_only_the_demo_can_do_is_refused_without_it(started: list[str], options: list[str], words: str) -> None:
    """Else a hub would listen elsewhere than it was told."""
    done = CliRunner().invoke(command.begin, options)
    assert done.exit_code == 2 and words in done.output and not started
