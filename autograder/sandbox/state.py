"""Where judges of one user keep what they share."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from autograder.errors import MachineError


def state_folder() -> Path:
    """Where this user's sockets and locks live; short, because a socket's path has at most 108 bytes."""
    folder = Path(tempfile.gettempdir()) / f"autograder-{os.getuid()}"
    folder.mkdir(mode=0o711, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise MachineError(f"{folder} belongs to somebody else; set TMPDIR to a folder of your own")
    return folder
