"""The judge process: forked from a server that has pytest, NumPy and the plugin imported, so that it starts in milliseconds."""

from __future__ import annotations

import ctypes
import signal
import warnings
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from autograder.errors import AutograderError, CourseError
from autograder.judge.grading import Hand, Job
from autograder.judge.run import grade
from autograder.sandbox.base import Sandbox
from autograder.sandbox.container import ContainerSandbox
from autograder.sandbox.process import NotIsolated, ProcessSandbox

PRELOAD = [
    "autograder.engine.worker",
    "autograder.cli",
    "pytest_timeout",
    "autograder.engine.ready",
]
_PR_SET_PDEATHSIG = 1


def sandbox_of(kind: str, owner: str) -> Sandbox:
    """The driver by name."""
    return ProcessSandbox() if kind == "subprocess" else ContainerSandbox.shared(owner)


def main(job: Job, hands: list[Hand], references: list[Hand], kind: str, owner: str, pipe: Connection) -> None:
    """Grades, and says through the pipe what happens: progress, then ("grade", …) or ("ours"|"course", words)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore", NotIsolated)  # said once, by the parent

    def say(news: dict[str, Any]) -> None:
        pipe.send(("news", news))

    def more() -> Sandbox:
        pipe.send(("started", job.label))  # the node then looks for containers that only this judge knows
        return sandbox_of(kind, owner)

    try:
        verdict = grade(job, more, hands, references, say)
        pipe.send(("references", [(h.loaded, h.broken) for h in references]))
        pipe.send(("grade", verdict))
    except CourseError as error:
        pipe.send(("course", str(error)))
    except (AutograderError, OSError, EOFError) as error:
        with suppress(BrokenPipeError):  # whoever asked is dead, which is what ended this
            pipe.send(("ours", f"{type(error).__name__}: {error}"))
