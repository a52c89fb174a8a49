"""Waits for its parent's death, then ends and removes every container that the parent owned.

A process of its own, so that `kill -9` of a judge leaves nothing running. Its standard input is a pipe whose other end
only the parent holds; the pipe's end of file is the news. Run as `python -m autograder.sandbox.reaper OWNER`.
A parent that has removed everything itself says so before it leaves (`FAREWELL`): then one look is enough.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time

from autograder.errors import AutograderError
from autograder.sandbox.container import ContainerSandbox
from autograder.sandbox.owner import lives
from autograder.sandbox.state import state_folder

FAREWELL = b"all removed"
PATIENCE_S = 60.0
QUIET_SWEEPS = 3


def sweep(sandbox: ContainerSandbox, doomed: str = "") -> int:
    """Removes containers and sockets of one owner, or of every owner that is dead; returns how many containers."""
    removed = 0
    for container, owner in sandbox.owned().items():
        if owner == doomed or (not doomed and not lives(owner)):
            sandbox.remove(container)
            removed += 1
    for folder in state_folder().glob("g*-*-*"):  # sockets of containers that were being started
        owner = folder.name[1:].rpartition("-")[0]
        if owner == doomed or (not doomed and not lives(owner)):
            shutil.rmtree(folder, ignore_errors=True)
    return removed


def main() -> None:
    """Waits, then sweeps until nothing new turns up (a judge may have been starting a container when it died)."""
    owner = sys.argv[1]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a terminal's ctrl-C goes to the parent; its death is the news
    said = b""
    while word := os.read(0, 4096):
        said += word
    wanted = 1 if said == FAREWELL else QUIET_SWEEPS
    until, quiet = time.monotonic() + PATIENCE_S, 0
    while time.monotonic() < until:
        try:
            quiet = 0 if sweep(ContainerSandbox.shared(owner), owner) else quiet + 1
        except AutograderError:
            quiet = 0  # the engine is away; it may come back
        if quiet == wanted:
            break
        time.sleep(0.5)


if __name__ == "__main__":
    main()
