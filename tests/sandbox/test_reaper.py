"""Whoever goes in order is let go at once; whatever stayed is removed either way."""

import subprocess
import sys
import time

import pytest

from autograder.api import Options
from autograder.sandbox.container import ContainerSandbox, connect
from autograder.sandbox.profile import Profile
from autograder.sandbox.reaper import FAREWELL

pytestmark = pytest.mark.docker


def left_by(owner, last_words):
    """Seconds that the reaper takes after its parent has gone with these words."""
    command = [sys.executable, "-m", "autograder.sandbox.reaper", owner]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as reaper:
        time.sleep(1)  # it has begun to listen
        begun = time.monotonic()
        reaper.communicate(last_words, timeout=60)
        return time.monotonic() - begun


def test_an_orderly_end_waits_for_one_look(engine):
    """Every command of the command line that grades ends with it. A crash is followed by three looks, half a second apart."""
    assert left_by("4194305-1.1", FAREWELL) < left_by("4194305-1.2", FAREWELL[:-1]) - 0.5


@pytest.mark.parametrize("last_words", [b"", FAREWELL])
def test_what_stayed_is_removed(engine, last_words):
    """Whether its owner knew of it or not."""
    sandbox = ContainerSandbox(connect(), f"4194305-2.{len(last_words)}")
    guest = sandbox.start(Profile(Options().image, (0,), 256, 64, 16, ()), "reaped")
    assert sandbox.owned()[guest.container] == sandbox.owner
    left_by(sandbox.owner, last_words)
    assert guest.container not in sandbox.owned() and not guest.alive
    for channel in guest.channels:
        channel.close()
    sandbox.release()
