"""Nothing is left behind: not after a class, not after a crash."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import docker
import pytest
import requests

from autograder.api import Node, Options, Submission, receive
from autograder.domain.submission import digest
from autograder.domain.verdict import Verdict
from autograder.errors import CourseError
from autograder.sandbox.base import Guest
from autograder.sandbox.owner import lives
from autograder.sandbox.reaper import sweep
from autograder.sandbox.state import state_folder

from .. import conftest

pytestmark = pytest.mark.docker


DESCRIPTORS = Path("/proc/self/fd")


def residue(engine, owner):
    """What one owner has left on this machine."""
    containers = [c for c, o in engine.owned().items() if o == owner]
    sockets = list(state_folder().glob(f"g{owner}-*"))
    return containers, sockets


def test_a_class_leaves_nothing_behind(engine, basic):
    """Containers, sockets, processes, descriptors: as before."""
    before = len(list(DESCRIPTORS.iterdir()))
    with Node(Options(references=conftest.FIXTURES / "reference")) as node:
        files = {"solution.py": b"def work(x, steps): return x\n"}
        submissions = [Submission(f"{i}", files, digest(files)) for i in range(6)]
        grades = dict(node.grade_many(basic, submissions))
        assert sorted(grades) == list(range(6))
        assert all(g.criteria[0].verdict is Verdict.WRONG_ANSWER for g in grades.values())
    node.close()  # once more does no harm
    assert residue(engine, node.owner) == ([], [])
    assert len(list(DESCRIPTORS.iterdir())) <= before + 3  # multiprocessing's fork server and tracker stay


def test_a_judge_that_is_killed_is_tried_again(engine, basic):
    """`kill -9` of the judge process in mid-grading: the second attempt gives the right verdict."""
    killed: list[int] = []

    def say(message):
        if message["phase"] == "check" and not killed:
            killed.extend(_judges())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    with Node(Options(references=conftest.FIXTURES / "reference", slots=1)) as node:
        source = (basic.folder / "solutions/numpy_loop.py").read_bytes()
        slowly = (
            b"_work = work\ndef work(x, steps):\n    import time\n    time.sleep(0.3)\n    return _work(x, steps)\n"
        )
        files = {"solution.py": source + slowly}  # or the judge might have ended before it is killed
        grade = node.grade(basic, Submission("slow", files, digest(files)), only="formula", say=say)
    assert killed
    assert grade.engine["attempt"] == 2
    assert grade.criteria[0].verdict is Verdict.PASSED
    assert residue(engine, node.owner)[0] == []


def _judges() -> list[int]:
    """Children of this process's fork server."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                parent = (Path("/proc") / stat[1] / "cmdline").read_bytes()
                grand = (Path("/proc") / stat[1] / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if b"forkserver" in parent and grand == str(os.getpid()):
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize("phase", ["load", "check", "duel"])
def test_kill_9_of_the_grader_at_each_step_leaves_nothing_running(engine, basic, phase):
    """The reaper removes every container of a dead owner within seconds."""
    code = f"""
import sys
from pathlib import Path
from autograder.api import Node, Options, load, receive
if __name__ == "__main__":
    a = load(Path({str(basic.folder)!r}))
    with Node(Options(references=Path({str(conftest.FIXTURES / "reference")!r}), slots=1)) as node:
        print(node.owner, flush=True)
        node.grade(a, receive(a.folder / "solutions/numpy_loop.py", 64), say=lambda m: print(m["phase"], flush=True))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    owner = process.stdout.readline().strip()
    for line in process.stdout:
        if line.strip() == phase:
            break
    process.kill()
    process.wait()
    process.stdout.close()
    until = time.monotonic() + 30
    while residue(engine, owner)[0] and time.monotonic() < until:
        time.sleep(0.2)
    assert residue(engine, owner)[0] == []
    assert not lives(owner)


def test_a_verdict_outlives_a_clean_up_that_fails(engine, basic, monkeypatch, caplog):
    """The judge had to start a container of its own, ended well, and the engine is away at that moment.

    The verdict stands at the first attempt; what stayed is removed behind the next grading.
    """
    source = (basic.folder / "solutions/numpy_loop.py").read_bytes()
    crash = b"import os\ndef fill(out, value): os._exit(1)\n"
    files = {"solution.py": source + crash}

    def away(*_, **__):
        raise requests.ConnectionError("refused")

    with Node(Options(references=conftest.FIXTURES / "reference", slots=1, pairs=1)) as node:
        with monkeypatch.context() as patched:
            patched.setattr(node._sandbox.client.api, "containers", away)
            grade = node.grade(basic, Submission("crash", files, digest(files)))
        verdicts = {c.id: c.verdict for c in grade.criteria}
        assert verdicts["in-place"] is Verdict.CRASHED and verdicts["callback"] is Verdict.PASSED
        assert grade.engine["attempt"] == 1 and "removed later" in caplog.text

        def own():
            listed = engine.client.api.containers(all=True, filters={"label": f"autograder.owner={node.owner}"})
            return [c for c in listed if c["Labels"]["autograder.job"] != "ahead"]

        assert own()
        honest = {"solution.py": source}
        node.grade(basic, Submission("honest", honest, digest(honest)), only="formula")
        assert not own()


def _end(guest):
    """As the engine, or somebody at its socket, might: from outside, while it waits frozen."""
    guest.cgroup.kill()
    assert not guest.alive


def test_the_end_of_a_node_is_not_that_of_its_neighbour(engine, basic):
    """Two nodes in one process: each reaper takes what is its own."""
    honest = receive(basic.folder / "solutions/numpy_loop.py", 64)
    references = conftest.FIXTURES / "reference"
    with Node(Options(references=references, slots=1)) as first:
        first.grade(basic, honest)
        with Node(Options(references=references, slots=1)) as second:
            second.grade(basic, honest, only="formula")
            assert second.owner != first.owner
        until = time.monotonic() + 5  # the reaper looks three times
        while time.monotonic() < until:
            assert all(h.guest.alive for hands in first._warm.kept.values() for h in hands)
            time.sleep(0.2)
        assert first._warm.kept and residue(engine, second.owner) == ([], [])


def test_nobody_stays_warm_on_a_gpu_that_is_anothers(engine, basic):
    """A claim of a team borrows no reference; whoever waited on its device goes, and nobody else."""
    honest = receive(basic.folder / "solutions/numpy_loop.py", 64)
    with Node(Options(references=conftest.FIXTURES / "reference", slots=1)) as node:
        node.grade(basic, honest)
        (key,) = node._warm.kept
        node._warm.vacate("")
        assert list(node._warm.kept) == [key]
        node._warm.kept[key._replace(device="GPU-1")] = hands = node._warm.kept.pop(key)
        node._warm.vacate("GPU-2")
        assert node._warm.kept and all(h.guest.alive for h in hands)
        node._warm.vacate("GPU-1")
        assert not node._warm.kept
        until = time.monotonic() + 10
        while any(h.guest.container in engine.owned() for h in hands) and time.monotonic() < until:
            time.sleep(0.1)
        assert not [h for h in hands if h.guest.container in engine.owned()]


def test_a_guest_that_ended_while_it_waited_costs_nobody_anything(engine, basic):
    """A warm reference and a guest started ahead die before their turn: the next grading takes others, at once."""
    honest = receive(basic.folder / "solutions/numpy_loop.py", 64)
    with Node(Options(references=conftest.FIXTURES / "reference", slots=1)) as node:
        node.grade(basic, honest)
        for hand in (h for hands in node._warm.kept.values() for h in hands):
            _end(hand.guest)
        for future in (f for futures in node._pool._ahead.values() for f in futures):
            _end(future.result())
        grade = node.grade(basic, honest, only="formula")
        assert grade.criteria[0].verdict is Verdict.PASSED and grade.engine["attempt"] == 1
        said: list[str] = []
        again = node.grade(basic, honest, say=lambda news: said.append(news["phase"]))
        assert again.criteria[0].verdict is Verdict.PASSED and "retry" not in said


def test_an_edited_kernel_is_the_one_that_counts(basic, tmp_path):
    """Warm guests hold the kernel that they were given; after an edit they serve nobody."""
    references = tmp_path / "reference"
    shutil.copytree(conftest.FIXTURES / "reference", references)
    honest = receive(basic.folder / "solutions/numpy_loop.py", 64)
    with Node(Options(references=references, slots=1)) as node:
        node.grade(basic, honest)
        before = {h.guest.container for hands in node._warm.kept.values() for h in hands}
        kernel = references / f"{basic.kernel}.py"
        only_in_a_guest = (
            "\nimport sys\nif 'pytest' not in sys.modules:\n    raise ValueError('edited')\n"  # oracle, too
        )
        kernel.write_text(kernel.read_text(encoding="utf-8") + only_in_a_guest, encoding="utf-8")
        with pytest.raises(CourseError, match="the kernel does not load"):
            node.grade(basic, honest)
        after = {h.guest.container for hands in node._warm.kept.values() for h in hands}
    assert before and not before & after


def test_a_reference_that_ends_in_mid_grading_is_replaced(engine, basic, monkeypatch):
    """The first attempt is given up, the second has fresh guests; neither student nor course is blamed."""
    honest = receive(basic.folder / "solutions/numpy_loop.py", 64)
    with Node(Options(references=conftest.FIXTURES / "reference", slots=1)) as node:
        borrowed: list[Guest] = []
        borrow = node._warm.borrow

        def remember(job, count):
            hands = borrow(job, count)
            borrowed.extend(h.guest for h in hands)
            return hands

        def say(news):
            if news.get("criterion") == "speed" and len(borrowed) == 2:
                for guest in borrowed:
                    _end(guest)
                borrowed.append(guest)

        monkeypatch.setattr(node._warm, "borrow", remember)
        grade = node.grade(basic, honest, say=say)
    assert len(borrowed) >= 5 and grade.engine["attempt"] >= 2
    assert not {c.verdict for c in grade.criteria} - {Verdict.PASSED, Verdict.INCONCLUSIVE}


def test_orphans_of_a_dead_owner_are_removed_at_the_next_start(engine, basic):
    """When both judge and reaper died."""
    from autograder.sandbox.container import ContainerSandbox
    from autograder.sandbox.profile import Profile

    dead = ContainerSandbox(engine.client, "999999999-1")
    guest = dead.start(Profile.of(basic, Options().image, (0,)), "orphan")
    assert guest.container in engine.owned()
    assert sweep(engine) >= 1
    assert guest.container not in engine.owned()
    for channel in guest.channels:
        channel.close()


def test_a_name_that_goes_to_a_new_image_duels_no_two_images(engine, basic):
    """`make images` beside a node that grades: guests that are warm, and those that are started now, are of one image."""
    names = [Options().image, "autograder-test:moved"]
    client = engine.client
    client.images.get(names[0]).tag("autograder-test", "moved")
    try:
        with Node(Options(references=conftest.FIXTURES / "reference", slots=1, image=names[1])) as node:
            first = node._job(basic, Submission("a", {}, ""), "", "", False, (0,), "", 1).profile.image
            client.images.get(Options().student_image).tag("autograder-test", "moved")
            second = node._job(basic, Submission("a", {}, ""), "", "", False, (0,), "", 1).profile.image
            client.images.remove(names[1])
            third = node._job(basic, Submission("a", {}, ""), "", "", False, (0,), "", 1).profile.image
    finally:
        with contextlib.suppress(docker.errors.ImageNotFound):
            client.images.remove(names[1])
    assert first == engine.image_id(names[0]) and second == third == engine.image_id(Options().student_image)
