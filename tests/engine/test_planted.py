"""Planted traces: what is taken off a call, and a noisy neighbour that does not outlive who made it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from autograder.domain.execution import CallOutcome
from autograder.domain.verdict import Verdict
from autograder.engine.options import Options
from autograder.engine.planted import Bench
from autograder.judge.empties import Empties
from autograder.measure.room import Room

REPOSITORY = Path(__file__).resolve().parents[2]
ARRAYS_KB = 150_000  # more than Python and NumPy take, less than they do with the two arrays of a burner
PARENT = """
import multiprocessing, os, sys, time
from autograder.engine.planted import neighbour
if __name__ == "__main__":
    with neighbour(()):
        print(multiprocessing.active_children()[0].pid, flush=True)
        time.sleep(120)
"""


class Quick:
    """A guest whose calls take as long as it is told; nobody disturbs it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.window = SimpleNamespace(watch=SimpleNamespace(read=lambda: SimpleNamespace(grain_s=1.0)))

    def call(self, function, given):
        return CallOutcome(Verdict.PASSED, elapsed_s=self.seconds)

    def empty(self, function, given, named, spin_s):
        return self.call(function, given)


def test_calls_shorter_than_an_empty_one_give_no_negative_ratio(tmp_path):
    """As in a duel: a twentieth of the empty call is left of them, and such a round does not count."""
    empties = Empties({}, 1e-3)
    for _ in range(3):
        empties.add(1e-3)
    pairs = [(Quick(0.9e-3), Quick(1.2e-3)), (Quick(3e-3), Quick(0.8e-3))]
    bench = Bench(None, Options(), (0,), tmp_path, 1e-3, pairs=pairs, room=Room(tmp_path), per_step_s=1e-5)
    bench.empties = empties
    first, second = bench.trace(1.0, 2)
    bench.room.close()
    assert first.reference_s == second.submission_s == 1e-3 / 20
    assert 0 < first.ratio < 1 < second.ratio
    assert first.dropped == "the reference took no longer than an empty call" and not second.dropped


def _status(pid: int) -> dict[str, str]:
    """Of a process; empty once it is gone, or waits for somebody to hear that it is."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    fields = {key: value.split() for key, _, value in (line.partition(":") for line in text.splitlines())}
    return {} if fields["State"][0] == "Z" else {key: value[0] for key, value in fields.items() if value}


def test_a_neighbour_ends_with_the_process_that_made_it(tmp_path):
    """Killed without a word, it had left one that burned on for ever."""
    script = tmp_path / "parent.py"  # a file, because spawned processes import it
    script.write_text(PARENT)
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        burner = int(parent.stdout.readline())
        try:
            until = time.monotonic() + 60
            while int(_status(burner).get("VmRSS", 0)) < ARRAYS_KB:
                assert time.monotonic() < until, "it never began"
                time.sleep(0.05)
            parent.send_signal(signal.SIGKILL)
            parent.wait()
            until = time.monotonic() + 10
            while _status(burner):
                assert time.monotonic() < until, "it burns on"
                time.sleep(0.05)
        finally:
            parent.kill()
            if _status(burner):
                os.kill(burner, signal.SIGKILL)
