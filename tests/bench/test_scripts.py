"""Benchmarks: what they cannot measure they refuse before any work, and what ends them early leaves nothing behind."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from autograder.domain.verdict import Verdict
from tests.bench import gpu_descriptors, gpu_many, latency, nodes, term, throughput


@pytest.mark.parametrize(
    ("script", "arguments", "named"),
    [
        (latency, ["--times", "1"], "--times"),
        (throughput, ["--students", "1"], "--students"),
        (term, ["--solution", "9"], "--solution 9"),
        (term, ["--solution", "-1"], "--solution -1"),
        (nodes, ["--lose", "1"], "--lose"),
        (nodes, ["--speedup", "0"], "--speedup"),
        (nodes, ["--nodes", "0"], "--nodes"),
        (gpu_descriptors, ["--isolated"], "--isolated"),
    ],
)
def test_what_cannot_be_measured_is_refused(monkeypatch, capsys, script, arguments, named):
    """A usage error that names the option: no traceback, and not at the end."""
    for name in ("World", "Node", "Driver"):
        monkeypatch.setattr(script, name, lambda *_, **__: pytest.fail("work was begun"), raising=False)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    monkeypatch.setattr(sys, "argv", [script.__name__, *arguments])
    with pytest.raises(SystemExit) as ended:
        script.main()
    assert ended.value.code == 2 and named in capsys.readouterr().err


def test_nodes_that_were_started_are_ended_when_somebody_interrupts(monkeypatch, tmp_path):
    """While the scheduler starts, too."""
    started = []

    class Started:
        def __init__(self, command, **_):
            started.append(self)
            self.killed = False

        def kill(self):
            self.killed = True

        def wait(self):
            pass

    def interrupted(seconds):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(nodes.subprocess, "Popen", Started)
    monkeypatch.setattr(nodes.time, "sleep", interrupted)
    monkeypatch.setattr(sys, "argv", ["nodes.py"])
    with pytest.raises(KeyboardInterrupt):
        nodes.main()
    assert started and all(process.killed for process in started)


def _program(source: bytes) -> gpu_many.Program:
    return gpu_many.Program(SimpleNamespace(slug="a99"), "s.py", source, "full marks")


def test_results_of_an_edited_program_are_not_those_of_the_new_one(tmp_path):
    """Nor are rows that do not say of which bytes they are."""
    log, old, new = tmp_path / "many.jsonl", _program(b"1"), _program(b"2")
    row = {"key": old.key, "sha256": old.sha256, "ours": False, "kept": True}
    log.write_text("".join(json.dumps(r) + "\n" for r in (row, {"key": old.key, "ours": False})))
    gpu_many.remember([old, new], log)
    assert old.found == [row] and new.found == []


def test_half_a_row_is_taken_out_of_the_log(tmp_path):
    """Else the next row would be the other half of a line that nobody can read."""
    log, program = tmp_path / "many.jsonl", _program(b"1")
    row = json.dumps({"key": program.key, "sha256": program.sha256, "ours": False, "kept": True})
    log.write_text(f"{row}\n{row[:30]}")
    gpu_many.remember([program], log)
    assert len(program.found) == 1 and log.read_text() == f"{row}\n"
    log.write_text("")
    gpu_many.remember([program], log)
    assert len(program.found) == 1 and log.read_text() == ""


def test_a_campaign_that_is_interrupted_ends_what_it_has_begun_and_no_more(monkeypatch):
    """Ctrl-C: gradings under way are seen to their end, none begins, and the node is closed behind them."""
    graded, closed, begun = [], [], threading.Event()

    class Slow:
        def __init__(self, options):
            pass

        def grade(self, assignment, submission, only, cores):
            begun.set()
            time.sleep(0.2)
            graded.append(submission.name)
            passed = SimpleNamespace(
                id="x", verdict=Verdict.PASSED, duel=None, points=1.0, max_points=1.0, sentence="", evidence={}
            )
            return SimpleNamespace(engine={"many": True}, criteria=(passed,), ours=False)

        def close(self):
            closed.append(len(graded))

    class Interrupted(threading.Thread):
        def join(self, timeout=None):
            if not campaign.stopped.is_set():
                begun.wait(10)
                raise KeyboardInterrupt
            super().join(timeout)

    monkeypatch.setattr(gpu_many, "Node", Slow)
    monkeypatch.setattr(gpu_many.Program, "references", "reference")
    options = argparse.Namespace(gpu="", at_once=1, guests=[0], times=50, seconds=1e9, at_most={}, log=None)
    campaign = gpu_many.Campaign([_program(b"1")], options)
    monkeypatch.setattr(gpu_many.threading, "Thread", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    assert closed == [len(graded)] and 1 <= len(graded) < 50
