"""The demo's state folder: what is kept, and by whom."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from hub import demo, show
from hub.site import Site
from hub.tied import PARENT

from .real_hub import until
from .work import REPOSITORY

# starts another process with a session of its own, says which, and does not end when it is asked to
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
environment = os.environ | {sys.argv[1]: str(os.getpid())}
child = subprocess.Popen([sys.executable, "-c", sys.argv[2]], start_new_session=True, env=environment, stdout=sys.stdout)
time.sleep(60)
"""
SLEEPS = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_DFL); print(os.getpid(), flush=True); time.sleep(60)"


def test_a_password_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    """A start that ends while it writes leaves no empty password behind."""
    with pytest.raises(KeyboardInterrupt):
        demo._kept(tmp_path / "password", _interrupted)
    assert demo._kept(tmp_path / "password", lambda: "secret") == "secret"
    assert demo._kept(tmp_path / "password", _interrupted) == "secret"
    assert (tmp_path / "password").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["password"]


def _interrupted() -> str:
    raise KeyboardInterrupt


def _family(child: str) -> tuple[subprocess.Popen[bytes], int]:
    """A stubborn process, and the number of what it started."""
    process = subprocess.Popen([sys.executable, "-c", STUBBORN, PARENT, child], stdout=subprocess.PIPE, cwd=REPOSITORY)
    assert process.stdout is not None
    with process.stdout as said:
        return process, int(said.readline())


def _gone(number: int) -> bool:
    return not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second one says who is there, and starts nothing."""
    with (
        demo.alone(tmp_path),
        pytest.raises(demo.DemoError, match=r"in use by another demo.*--state"),
        demo.up(tmp_path),
    ):
        pass
    with demo.alone(tmp_path):
        pass
    assert [p.name for p in tmp_path.iterdir()] == [demo.LOCK]


def test_what_a_hub_started_is_ended_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the hub has to be killed, and its children have sessions of their own."""
    monkeypatch.setattr(demo, "STOP_S", 0.3)
    process, child = _family(SLEEPS)
    demo.stop(process)
    until(lambda: _gone(child), 10.0)


def test_what_is_tied_ends_with_a_parent_that_was_killed() -> None:
    """Service and hub: the kernel tells them."""
    process, child = _family(f"from hub.tied import tie; tie(); {SLEEPS}")
    process.kill()
    process.wait()
    until(lambda: _gone(child), 10.0)


def test_a_demo_s_homes_are_its_own(tmp_path):
    """Not those of the hub in production, where an ada may exist, too; and the same after a restart."""
    assert demo.names(tmp_path / "a") == demo.names(tmp_path / "." / "a") != demo.names(tmp_path / "b")
    assert not Site().prefix.startswith(demo.names(tmp_path)) and demo.names(tmp_path).startswith(
        f"{Site().prefix}-demo-"
    )


def test_who_looks_at_a_log_sees_how_far_the_class_is():
    """Outside a terminal: a line for each state as it comes, and the table once, at the end."""
    out, seen = io.StringIO(), []

    def looks():
        for state, score in (("queued", None), ("queued", None), ("checking", None), ("graded", 55.0)):
            yield {"hua": {"assignment": "a04_heat_plate", "state": state, "score": score, "max_score": 85.0}}
            seen.append(out.getvalue().count("\n"))

    latest = show._watch(looks(), Console(file=out, width=100))
    lines = out.getvalue().splitlines()
    assert latest["hua"]["score"] == 55.0 and seen == [1, 1, 2, 3]
    assert lines[:3] == [f"hua: a04_heat_plate {state}" for state in ("queued", "checking", "graded")]
    assert sum("55 / 85" in line for line in lines) == 1
