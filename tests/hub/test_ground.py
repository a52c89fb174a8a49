"""Where TAs write, the writer of the gradebook runs nothing and follows no link."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hub.nbgrader_plugins import gradebook, ground
from hub.nbgrader_plugins.gradebook import interface, sync, write
from hub.nbgrader_plugins.ground import LinkError, give
from hub.service.gradebook import WRITTEN, Written

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # nbgrader's own


def test_a_ta_s_settings_are_not_run_by_the_writer(tmp_path: Path) -> None:
    """Those beside the directory, which no server mounts, are."""
    course = tmp_path / "course"
    course.mkdir()
    (course / "nbgrader_config.py").write_text(f"open({str(tmp_path / 'was-here')!r}, 'w')\n")
    (tmp_path / "nbgrader_config.py").write_text("get_config().JudgeExecute.wait_s = 7.0\n")
    assert interface(course).config.JudgeExecute.wait_s == 7.0
    assert not (tmp_path / "was-here").exists()


def test_the_writer_is_told_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what it needs, and its own token."""
    told: dict[str, str] = {}

    def run(command: list[str], *, env: dict[str, str], **_: Any) -> subprocess.CompletedProcess[str]:
        told.update(env)
        return subprocess.CompletedProcess(command, 0, "done", "")

    for name in ("AUTOGRADER_METRICS_TOKEN", "AUTOGRADER_DATABASE_URL", "JUPYTERHUB_API_TOKEN", "DOCKER_HOST"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("AUTOGRADER_TERM", "t.toml")
    monkeypatch.setattr(gradebook.subprocess, "run", run)
    assert sync(tmp_path, "a", "ada", {"AUTOGRADER_TOKEN": "mine"}) == "done"
    assert "mine" in told.values() and told["AUTOGRADER_TERM"] == "t.toml" and told["PATH"]
    assert "secret" not in told.values()


@pytest.mark.parametrize("place", ["gradebook.db", "feedback", "submitted/ada", "autograded/ada/a", "release/a"])
def test_nothing_is_written_through_a_link(tmp_path: Path, place: str) -> None:
    """Where a TA put one instead of a folder."""
    course, other = tmp_path / "course", tmp_path / "other"
    other.mkdir()
    (course / place).parent.mkdir(parents=True)
    (course / place).symlink_to(other)
    with pytest.raises(LinkError, match="is a link"):
        write(course, "a", "ada")
    assert not list(other.iterdir())


def test_no_file_of_the_writer_s_own_is_a_link(tmp_path: Path) -> None:
    """What it leads to would be emptied."""
    course, kept = tmp_path / "course", tmp_path / "kept"
    course.mkdir()
    kept.write_text("kept")
    for name in (gradebook.LOCK, f"{WRITTEN}.partial"):
        (course / name).symlink_to(kept)
    with pytest.raises(OSError):
        write(course, "a", "ada")
    with pytest.raises(OSError):
        Written(course).add(("a", "ada"), "1")
    assert kept.read_text() == "kept"


def test_what_a_link_leads_to_keeps_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders are opened before they are walked, and each name is changed in its opened folder."""
    course, other = tmp_path / "course", tmp_path / "other"
    (course / "inside").mkdir(parents=True)
    other.mkdir()
    for folder in (course / "inside", other):
        (folder / "file").touch()
    (course / "link").symlink_to(other)
    changed: list[tuple[str, bool]] = []

    def chown(name: Any, uid: int, gid: int, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> None:
        there = Path(f"/proc/self/fd/{dir_fd}").readlink() / name if dir_fd is not None else Path(name)
        changed.append((str(there.relative_to(tmp_path)), follow_symlinks))

    monkeypatch.setattr(ground.os, "chown", chown)
    give(course, os.getuid() + 1, os.getgid())
    assert sorted(changed) == [
        ("course", False),
        ("course/inside", False),
        ("course/inside/file", False),
        ("course/link", False),
    ]
    assert changed[-1][0] == "course"
