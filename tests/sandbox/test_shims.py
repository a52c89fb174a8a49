"""Shims that outlive their container are ended; nobody else's is touched."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from autograder.sandbox.shims import Shims, _living


@pytest.fixture
def shim():
    """Processes that look like a shim of a container."""
    made = []

    def start(container, script="read line", then=""):
        named = f"exec -a containerd-shim-runc-v2 bash -c '{script}' shim -id {container} {then}"
        process = subprocess.Popen(["/bin/bash", "-c", named], stdin=subprocess.PIPE)
        made.append(process)
        return process

    yield start
    for process in made:
        subprocess.run(["pkill", "-P", str(process.pid)], check=False)
        process.kill()
        process.wait()
        process.stdin.close()


def seen(process, cleaning=False):
    """Waits until the stand-in has taken its name."""
    while process.pid not in [pid for pid, _ in _living(cleaning)]:
        assert process.poll() is None


def test_the_shim_of_a_removed_container_is_ended(shim):
    """After its time of grace, and only that one."""
    dead, other = shim("a" * 64), shim("b" * 64)
    seen(dead), seen(other)
    shims = Shims()
    shims.removed("a" * 64)
    assert shims.bury(60) == 0 and dead.poll() is None
    assert shims.bury(0) == 1
    assert dead.wait(timeout=5) == -9 and other.poll() is None
    assert shims.bury(0) == 0


@pytest.mark.parametrize("child", ["exec sleep 30", "read line <&3"])
def test_a_shim_with_a_child_is_left_alone(shim, child):
    """A container that still runs has one; right after its fork, and the second one for ever, it still bears the shim's name."""
    busy = shim("c" * 64, f"exec 3<&0; ({child}) & wait")
    seen(busy)
    children = Path(f"/proc/{busy.pid}/task/{busy.pid}/children")
    while not children.read_text().strip():
        assert busy.poll() is None
    born = children.read_text()
    shims = Shims()
    shims.removed("c" * 64)
    assert shims.bury(0) == 0 and busy.poll() is None and children.read_text() == born


def test_the_engines_own_cleaning_is_left_alone(shim):
    """It runs under the same name when a shim has gone; a look right after `bury` took it for a shim that stayed."""
    container = "d" * 64
    cleaning, after = shim(container, then="delete"), shim(container)
    seen(after)
    seen(cleaning, cleaning=True)
    assert [pid for pid, name in _living() if name == container] == [after.pid]
    shims = Shims()
    shims.removed(container)
    assert shims.bury(0) == 1
    assert after.wait(timeout=5) == -9 and cleaning.poll() is None
