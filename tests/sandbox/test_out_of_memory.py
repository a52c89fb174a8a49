"""What the kernel ended for want of memory, in this turn and not in one before."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest

from autograder.api import Options
from autograder.domain.execution import Program
from autograder.judge.proxy import Actor
from autograder.measure.room import Room
from autograder.sandbox.container import ContainerSandbox, connect
from autograder.sandbox.owner import another
from autograder.sandbox.profile import Profile
from autograder.sandbox.state import state_folder

pytestmark = pytest.mark.docker
CHILD = b"""
import os
def work(x, steps):
    pid = os.fork()
    if pid == 0:
        with open("/proc/self/oom_score_adj", "w") as file: file.write("1000")
        hoard = []
        while True: hoard.append(bytearray(b"x") * (1 << 24))
    os.waitpid(pid, 0)
    return 2 * x
"""


@pytest.fixture
def after_a_child(engine, basic):
    """A guest whose child was killed in a turn that passed, and how many that were."""
    sandbox = ContainerSandbox(connect(), another())
    room = Room(state_folder())
    guest = sandbox.start(Profile(Options().image, (0,), 256, 32, 16, ("numpy",)), "memory")
    actor = Actor(guest, basic, room)
    assert actor.load(Program({"solution.py": CHILD})) is None
    assert actor.call(basic.function("work"), (np.ones(4), 1)).verdict == "passed"
    yield guest, guest.usage().oom_kills
    actor.close()
    guest.remove()
    room.close()
    sandbox.release()


def test_a_kill_of_an_earlier_turn_is_not_this_ones(after_a_child):
    """While it lives, and once it was ended for something else."""
    guest, before = after_a_child
    assert before > 0 and guest.out_of_memory()
    assert not guest.out_of_memory(before)
    guest.thaw()
    os.kill(guest.pids[0], signal.SIGTERM)  # as its own code might
    _gone(guest)
    assert not guest.out_of_memory(before)


def test_a_kill_of_this_turn_is_found_after_the_containers_end(after_a_child):
    """The group has gone with it, and its count."""
    guest, before = after_a_child
    guest.thaw()
    os.kill(guest.pids[0], signal.SIGKILL)  # as the kernel would
    _gone(guest)
    assert guest.out_of_memory(before)


def _gone(guest):
    """The engine removes the group of who has ended."""
    until = time.monotonic() + 10
    while guest.cgroup.memory.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert not guest.cgroup.memory.exists()
