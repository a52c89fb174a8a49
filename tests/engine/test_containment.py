"""Bombs and an honest submission at the same time; and two hundred gradings that leave nothing behind."""

import contextlib
import statistics
import threading
from pathlib import Path

import psutil
import pytest

from autograder.api import Node, Options, Submission, receive
from autograder.domain.submission import digest
from autograder.domain.verdict import Verdict
from autograder.sandbox.state import state_folder

from .. import conftest

pytestmark = pytest.mark.docker

DESCRIPTORS = Path("/proc/self/fd")
BOMBS = {
    "fork": """
import os
def work(x, steps):
    while True:
        try: os.fork()
        except OSError: pass
""",
    "memory": """
def work(x, steps):
    a = []
    while True: a.append(bytearray(1 << 24))
""",
    "disk": """
def work(x, steps):
    while True:
        try:
            with open('/work/f', 'wb') as f:
                while True: f.write(bytes(1 << 20))
        except OSError: pass
""",
    "hang": """
import signal
def work(x, steps):
    for s in range(1, 32):
        try: signal.signal(s, signal.SIG_IGN)
        except (OSError, ValueError): pass
    while True: pass
""",
}


def bomb(name):
    """A submission."""
    files = {"solution.py": BOMBS[name].encode()}
    return Submission(name, files, digest(files))


def test_an_honest_verdict_is_unchanged_beside_bombs(engine, basic):
    """Four bombs explode, over and over, on the other core; the honest duel says what it says without them."""
    honest = receive(basic.folder / "solutions/numpy_loop.py", 64)
    options = Options(references=conftest.FIXTURES / "reference")
    with Node(options) as node:
        first, last = node.slots(basic)[0], node.slots(basic)[-1]
        quiet = decided(node, basic, honest, last)
        stop, verdicts = threading.Event(), set()

        def explode():
            while not stop.is_set():
                for name in BOMBS:
                    verdicts.add((name, str(node.grade(basic, bomb(name), cores=first).criteria[0].verdict)))

        thread = threading.Thread(target=explode)
        thread.start()
        loud = decided(node, basic, honest, last)
        stop.set()
        thread.join()
    assert quiet.score == loud.score == basic.max_score
    a, b = quiet.criteria[-1].duel, loud.criteria[-1].duel
    assert a.interval[0] <= b.interval[1] and b.interval[0] <= a.interval[1], (a.interval, b.interval)
    assert {n for n, _ in verdicts} <= set(BOMBS)
    assert {v for _, v in verdicts} <= {"timed-out", "crashed", "out-of-memory"}


def decided(node, basic, submission, cores):
    """A noisy machine is asked again."""
    for _ in range(4):
        grade = node.grade(basic, submission, cores=cores)
        if not grade.ours:
            break
    return grade


def traces():
    """Everything that a grading might leave on this machine."""
    mounts = Path("/proc/mounts").read_text().splitlines()
    groups = [p for p in Path("/sys/fs/cgroup").glob("*/docker/*") if p.is_dir()] + list(
        Path("/sys/fs/cgroup").glob("system.slice/docker-*")
    )
    return {
        "mounts": len([m for m in mounts if "overlay" in m or "shm" in m or "/work" in m]),
        "cgroups": len(groups),
        "sockets": len([p for p in state_folder().iterdir() if p.is_dir()]),
        "processes": running("/opt/guest/shim.py"),
        "engine's shims": running("containerd-shim"),
    }


def running(pattern):
    """How many processes have this in their command line; one that has ended, and waits for `init` to hear of it, has none."""
    found = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            found += process.status() != psutil.STATUS_ZOMBIE and pattern in " ".join(process.cmdline())
    return found


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_gradings_leave_nothing_behind(engine, basic):
    """No container, mount, process, cgroup, descriptor or tmpfs."""
    sources = [
        "def work(x, steps): return x\n",
        "import os\ndef work(x, steps): os._exit(1)\n",
        BOMBS["memory"],
        "1 / 0\n",
    ]
    submissions = []
    for i in range(200):
        files = {"solution.py": sources[i % 4].encode()}
        submissions.append(Submission(f"{i}", files, digest(files)))
    before, descriptors = traces(), len(list(DESCRIPTORS.iterdir()))
    with Node(Options(references=conftest.FIXTURES / "reference")) as node:
        walls = [g.wall_s for _, g in node.grade_many(basic, submissions[:40])]
        early = len(list(DESCRIPTORS.iterdir()))
        walls += [g.wall_s for _, g in node.grade_many(basic, submissions[40:])]
        late = len(list(DESCRIPTORS.iterdir()))
    assert traces() == before
    assert [c for c, o in engine.owned().items() if o == node.owner] == []
    assert late <= early + 8  # those of the pool and the warm references, not of two hundred gradings
    assert len(list(DESCRIPTORS.iterdir())) <= descriptors + 3
    assert statistics.median(walls[100:]) < 3 * statistics.median(walls[:100])


def test_verdicts_of_bombs_are_their_own(node, basic):
    """Each has its verdict; none is a failure of ours."""
    expected = {
        "fork": {Verdict.TIMED_OUT, Verdict.CRASHED, Verdict.OUT_OF_MEMORY},
        "memory": {Verdict.OUT_OF_MEMORY},
        "disk": {Verdict.TIMED_OUT},
        "hang": {Verdict.TIMED_OUT},
    }
    for name, verdicts in expected.items():
        assert node.grade(basic, bomb(name)).criteria[0].verdict in verdicts, name
