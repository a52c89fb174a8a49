"""What a process starts ends with it, also where it was killed and could not say so (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PARENT = "AUTOGRADER_PARENT"  # whose end is ours; the kernel's own order is lost when a program is executed
_ON_PARENTS_DEATH = 1  # PR_SET_PDEATHSIG


def tie() -> None:
    """This process is asked to end when the one that started it and said so is gone."""
    if sys.platform == "linux" and os.environ.get(PARENT) == str(os.getppid()):
        ctypes.CDLL(None).prctl(_ON_PARENTS_DEATH, signal.SIGTERM)
        if os.environ[PARENT] != str(os.getppid()):  # it went in this moment, and will not go again
            os.kill(os.getpid(), signal.SIGTERM)
