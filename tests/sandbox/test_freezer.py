"""The freezer, and what it must never touch."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from autograder.errors import SandboxError
from autograder.sandbox import freezer
from autograder.sandbox.freezer import Cgroup


def test_the_root_cgroup_is_refused(monkeypatch, tmp_path):
    """A zombie is shown in the root group; to freeze or kill that would stop the whole machine."""
    if not Path("/sys/fs/cgroup/freezer").exists():
        pytest.skip("cgroup v2 shows a zombie where it lived; there is nothing to refuse")
    if ":freezer:/\n" not in Path("/proc/self/cgroup").read_text():
        pytest.skip("this process is in a group of its own, so a child's zombie cannot stand for one in the root")
    process = subprocess.Popen(["true"])
    time.sleep(0.1)
    with pytest.raises(SandboxError, match="root cgroup"):
        Cgroup.of(process.pid)
    process.wait()


def test_the_judges_own_group_is_never_killed(tmp_path):
    """Whatever path it was given."""
    (tmp_path / "cgroup.procs").write_text(f"1\n{os.getpid()}\n")
    with pytest.raises(SandboxError, match="own cgroup"):
        Cgroup(tmp_path, tmp_path, tmp_path, unified=False).kill()


def test_version_2_is_read_as_documented(tmp_path, monkeypatch):
    """Freeze by `cgroup.freeze`, confirmation by `cgroup.events`, counters by `cpu.stat` and `memory.events`."""
    files = {
        "cgroup.freeze": "0",
        "cgroup.events": "populated 1\nfrozen 1\n",
        "cgroup.procs": "",
        "cpu.stat": "usage_usec 2500000\nuser_usec 1\n",
        "memory.events": "low 0\noom 1\noom_kill 3\n",
        "memory.peak": "4096\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    group = Cgroup(tmp_path, tmp_path, tmp_path, unified=True)
    alive = [os.getpid()]
    monkeypatch.setattr(Cgroup, "processes", lambda self: alive)
    group.freeze()
    assert (tmp_path / "cgroup.freeze").read_text() == "1"
    alive.clear()
    group.freeze()  # to the engine a frozen group is a paused container, which it does not delete
    assert (tmp_path / "cgroup.freeze").read_text() == "0"
    (tmp_path / "cgroup.freeze").write_text("1")
    group.thaw()
    assert (tmp_path / "cgroup.freeze").read_text() == "0"
    assert group.usage().oom_kills == 3
    assert group.usage().peak_bytes == 4096
    assert group.usage().cpu_s == 2.5
    assert group.cpu_ns() == 2_500_000_000


def test_a_freeze_that_is_not_confirmed_is_an_error(tmp_path, monkeypatch):
    """A process in uninterruptible sleep; the caller then kills the guest."""
    monkeypatch.setattr(freezer, "CONFIRM_S", 0.05)
    monkeypatch.setattr(Cgroup, "processes", lambda self: [os.getpid()])
    for name, text in {"cgroup.freeze": "0", "cgroup.events": "frozen 0\n"}.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(SandboxError, match="could not be frozen"):
        Cgroup(tmp_path, tmp_path, tmp_path, unified=True).freeze()


def test_the_group_of_a_process_that_is_gone_is_a_sandbox_error():
    """To be retried, not to be guessed."""
    with pytest.raises(SandboxError, match="gone"):
        Cgroup.of(2**22 + 1)


def test_an_empty_group_that_the_engine_has_removed_is_as_good_as_frozen(tmp_path):
    """Its last process ended, and the engine was quicker than the judge; to thaw it is another matter."""
    gone = tmp_path / "gone"
    group = Cgroup(gone, gone, gone, unified=False)
    group.freeze()
    with pytest.raises(SandboxError, match="gone"):
        group.thaw()


def test_a_group_that_goes_while_it_is_frozen_is_as_good_as_frozen(tmp_path, monkeypatch):
    """Its last process ended between two looks, and the engine removed the group: no reason to grade once more."""
    looks = iter([[os.getpid()], [], []])
    monkeypatch.setattr(Cgroup, "processes", lambda self: next(looks))
    gone = tmp_path / "gone"
    Cgroup(gone, gone, gone, unified=False).freeze()
    assert not list(looks)
