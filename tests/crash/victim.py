"""The service, which ends itself by SIGKILL at a chosen step: `python -m tests.crash.victim STEP [--simulate SECONDS] [serve's options]`."""

from __future__ import annotations

import functools
import os
import signal
import sys
import time
from typing import Any

import autograder.engine.cluster
import autograder.engine.dispatch
from autograder.engine.task import Outcome, Parcel
from autograder.ledger import queue
from autograder.ledger.blobs import Blobs
from autograder.ledger.store import Ledger


def simulated(parcel: Parcel, seconds: float) -> Outcome:
    """A grading of a known length, whose score says which bytes it saw."""
    time.sleep(seconds)
    score = float(len(parcel.content))
    criterion = {"id": "k", "title": "k", "points": score, "max_points": score, "verdict": "passed", "sentence": "Correct.",
                 "public": True, "evidence": {}}  # fmt: skip
    body = {"assignment": parcel.assignment, "submission": parcel.name, "submission_sha256": "", "score": score,
            "max_score": score, "criteria": [criterion], "machine": {}, "engine": {}, "wall_s": seconds, "overhead_s": 0.0}  # fmt: skip
    return Outcome(body)


def die() -> None:
    """As `kill -9` would."""
    os.kill(os.getpid(), signal.SIGKILL)


def _after(owner: Any, name: str) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        result = original(*arguments, **named)
        if result:
            die()
        return result

    setattr(owner, name, wrapped)


STEPS = {
    "blob": lambda: _after(Blobs, "put"),  # the file is there, the row is not
    "row": lambda: _after(Ledger, "_submit"),  # the row is there, the student has no receipt
    "leased": lambda: _after(Ledger, "lease"),  # leased, not sent
    "recording": lambda: _after(queue, "record"),  # written, not committed
    "recorded": lambda: _after(Ledger, "record"),  # committed, nobody told
    "none": lambda: None,
}


def main() -> None:
    """Sets the trap, then serves."""
    step, rest = sys.argv[1], sys.argv[2:]
    autograder.engine.dispatch.REST_S = 1.0  # tests have less time than machines
    STEPS[step]()
    if rest[:1] == ["--simulate"]:
        task = functools.partial(simulated, seconds=float(rest[1]))
        rest = rest[2:]
        dispatch = autograder.engine.dispatch.Dispatcher
        autograder.engine.dispatch.Dispatcher = functools.partial(dispatch, task=task, hold_s=5.0)  # type: ignore
        cluster = autograder.engine.cluster.Cluster
        autograder.engine.cluster.Cluster = lambda scheduler="", _options=None, cores=0: cluster(scheduler, None, cores)  # type: ignore
    from hub.service.command import serve

    serve(rest, standalone_mode=True)


if __name__ == "__main__":
    main()
