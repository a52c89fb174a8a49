"""Judges whose user may speak to the engine, and may neither write guests' control groups nor signal their processes."""

from __future__ import annotations

import os

import numpy as np
import pytest
import requests
from docker.errors import APIError

from autograder.api import Options
from autograder.domain.execution import Program
from autograder.errors import SandboxError
from autograder.judge.proxy import Actor
from autograder.measure.room import Room
from autograder.sandbox.container import ContainerSandbox, connect
from autograder.sandbox.freezer import Cgroup
from autograder.sandbox.owner import another
from autograder.sandbox.profile import Profile
from autograder.sandbox.state import state_folder

pytestmark = [pytest.mark.docker, pytest.mark.filterwarnings("ignore:no right to write the cgroup freezer")]
BUSY = b"""
import threading
def work(x, steps):
    if steps == 2:
        while True: pass
    threading.Thread(target=lambda: [0 for _ in iter(int, 1)], daemon=True).start()
    return 2 * x
"""


@pytest.fixture
def unprivileged(engine, monkeypatch):
    """A sandbox of a user in the group `docker`."""

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    def unwritten(*_):
        raise SandboxError("the guest's cgroup is gone: Permission denied")

    monkeypatch.setattr(Cgroup, "writable", property(lambda self: False))
    monkeypatch.setattr(Cgroup, "_write", unwritten)
    monkeypatch.setattr(os, "kill", refused)
    sandbox = ContainerSandbox(connect(), another())
    yield sandbox
    sandbox.release()


def processes(guest):
    """Of its whole tree that live; channels must be closed by then."""
    assert all(channel.fileno() == -1 for channel in guest.channels)
    return guest.cgroup.processes()


def test_guests_are_called_ended_and_removed(unprivileged, basic):
    """Paused, running or ended already: through the engine, and nothing is left behind."""
    room = Room(state_folder())
    guests = []
    for steps, verdict in ((1, "passed"), (2, "timed-out")):
        guests.append(guest := unprivileged.start(Profile(Options().image, (0,), 256, 64, 16, ("numpy",)), "user"))
        actor = Actor(guest, basic, room)
        assert actor.load(Program({"solution.py": BUSY})) is None
        assert actor.call(basic.function("work"), (np.ones(4), steps)).verdict == verdict
        used = guest.usage().cpu_s
        assert guest.usage().cpu_s - used < 0.01  # paused, or dead
        actor.close()
        assert not processes(guest) and not guest.alive
        guest.kill()  # twice does no harm
    running = unprivileged.start(Profile(Options().image, (0,), 256, 64, 16, ()), "user")
    running.thaw()
    unprivileged.remove(running.container)
    assert not running.alive
    running.kill()
    for guest in guests:
        guest.remove()
    room.close()
    assert not {g.container for g in (*guests, running)} & set(unprivileged.owned())


def test_a_pause_that_fails_once_is_tried_again(unprivileged, monkeypatch):
    """runc 1.1 gives up on a busy group of version 1 now and then; the student's program has not crashed for that."""
    guest = unprivileged.start(Profile(Options().image, (0,), 256, 64, 16, ()), "user")
    guest.thaw()
    answer, pause = requests.Response(), unprivileged.client.api.pause
    answer.status_code = 500
    errors = [APIError("500 Server Error", answer, "unable to freeze")]

    def sometimes(container):
        if errors:
            raise errors.pop()
        pause(container)

    monkeypatch.setattr(unprivileged.client.api, "pause", sometimes)
    guest.freeze()
    assert not errors and unprivileged.client.api.inspect_container(guest.container)["State"]["Paused"]
    guest.kill()
    guest.remove()


def test_channels_are_closed_even_where_the_engine_is_away(unprivileged, monkeypatch):
    """Who buries a guest has given it up."""
    guest = unprivileged.start(Profile(Options().image, (0,), 256, 64, 16, ()), "user")

    def away(*_, **__):
        raise ConnectionError("refused")

    with monkeypatch.context() as patched:
        patched.setattr(unprivileged.client.api, "kill", away)
        with pytest.raises(SandboxError, match="refused"):
            guest.kill()
    assert processes(guest)
    guest.remove()
    assert not guest.alive
