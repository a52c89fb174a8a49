"""`kill -9` of what grades, in the middle of real gradings: worker, judge, container engine."""

from __future__ import annotations

import json
import signal
import tempfile
import threading
from pathlib import Path

import httpx
import psutil
import pytest

from tests.crash.conftest import MOSTLY
from tests.crash.world import FIXTURES, program, until

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("engine")]
FULL = 90.0


def full(_content):
    """What the solution earns."""
    return FULL


def reach(world, token, submission, phase):
    """Waits until a grading says so; True unless it ended before."""
    seen = []

    def follow():
        with httpx.stream(
            "GET",
            f"{world.url}api/submissions/{submission}/events",
            headers={"Authorization": f"token {token}"},
            timeout=60,
        ) as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    seen.append(json.loads(line[5:])["phase"])
                    if seen[-1] in (phase, "recorded"):
                        return

    thread = threading.Thread(target=follow)
    thread.start()
    thread.join(60)
    assert seen and seen[-1] == phase, seen


def worker_of(service):
    """The Dask worker: whoever started the reaper."""

    def find():
        for process in psutil.Process(service.pid).children(recursive=True):
            try:
                if "autograder.sandbox.reaper" in process.cmdline():
                    return process.parent()
            except psutil.Error:
                continue
        return None

    return until(find, 20, "a worker")


def judge_of(service):
    """The process that judges now: a child of the fork server."""
    for process in psutil.Process(service.pid).children(recursive=True):
        try:
            if "forkserver" in " ".join(process.cmdline()) and "forkserver" in " ".join(process.parent().cmdline()):
                return process
        except psutil.Error:
            continue
    return None


@pytest.mark.parametrize("world", MOSTLY, indirect=True)
@pytest.mark.parametrize("phase", ["check", "duel"])
@pytest.mark.parametrize("who", ["worker", "judge"])
def test_a_killed_grader_is_replaced(world, who, phase):
    """The student sees the same verdict a little later, and no attempt is charged."""
    service, token = world.serve(), world.token("ada")
    assert world.submit("ada", token, program())
    (receipt,) = world.told.values()
    reach(world, token, receipt["submission"], phase)
    victim = worker_of(service) if who == "worker" else until(lambda: judge_of(service), 10, "a judge")
    victim.send_signal(signal.SIGKILL)
    world.all_graded(120)
    assert world.compare(score=full)["given_back"] == 0


@pytest.mark.parametrize("world", MOSTLY, indirect=True)
@pytest.mark.parametrize("phase", ["check", "duel"])
def test_a_killed_container_engine_is_waited_for(world, phase):
    """The grading is done again when the engine is back; nobody is charged."""
    with tempfile.TemporaryDirectory(prefix="ag-") as folder:  # a socket's path is short
        path = f"{folder}/docker.sock"
        real = "/var/run/docker.sock"

        def start():
            process = world.run("-m", "tests.crash.proxy", path, real)
            until(Path(path).exists, 10, "the engine's socket")
            return process

        proxy = start()
        world.environment["DOCKER_HOST"] = f"unix://{path}"
        world.serve()
        token = world.token("ada")
        assert world.submit("ada", token, program())
        (receipt,) = world.told.values()
        reach(world, token, receipt["submission"], phase)
        proxy.send_signal(signal.SIGKILL)
        proxy.wait()
        assert world.submit("bob", world.token("bob"), program())  # meanwhile students go on
        Path(path).unlink()
        start()
        world.all_graded(150)
        assert world.compare(score=full)["given_back"] == 0


def test_a_killed_service_leaves_no_container(world, engine):
    """Its workers and guests die with it, and the next one grades what it left."""
    service, token = world.serve(), world.token("ada")
    assert world.submit("ada", token, program())
    (receipt,) = world.told.values()
    reach(world, token, receipt["submission"], "duel")
    worker = worker_of(service)
    service.send_signal(signal.SIGKILL)
    service.wait()
    until(lambda: not psutil.pid_exists(worker.pid), 20, "the worker's end")
    until(lambda: not [o for o in engine.owned().values() if o.startswith(f"{worker.pid}-")], 20, "the guests' end")
    world.serve()
    world.all_graded(90)
    world.compare(score=full)


assert (FIXTURES / "assignments" / "t_basic").is_dir()
