"""What runs on a Dask worker: one node per machine, its cores lent to one task after another."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from distributed import Worker, WorkerPlugin, get_worker

from autograder.course.intake import receive_bytes
from autograder.course.load import course_folder, find, load
from autograder.course.version import version
from autograder.domain.assignment import Assignment
from autograder.domain.grade import Grade
from autograder.domain.verdict import Verdict
from autograder.engine.examine import floor
from autograder.engine.node import Node, Say
from autograder.engine.options import Options
from autograder.engine.projects import grade_project
from autograder.errors import AutograderError, CourseError, MachineError, SubmissionError
from autograder.judge.grading import WAITS
from autograder.measure.fitness import Fitness
from autograder.measure.gpu import lent

TOPIC = "autograder"
ENGINE_WAIT_S = 600.0  # a container engine that restarts is waited for, and nobody is charged
_NEWS_S = 1.0  # news of one round run through four processes while the next is timed


@dataclass(frozen=True, slots=True)
class Parcel:
    """All that a worker needs; bytes travel along, so that no file system is shared.

    Attributes:
        version: hash of the assignment at the dispatcher; a worker with another one refuses.
    """

    submission: int
    token: int
    assignment: str
    version: str
    name: str
    content: bytes
    trial: bool
    cores: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended: a grade, or why there is none and whether another try may help.

    Attributes:
        hopeless: no other try can help.
        stale: the assignment is not there as the service has it, or half saved: another node, or a later try, may help.
        node: the address of the node that says so; empty is the service.
    """

    grade: dict[str, Any] | None
    problem: str = ""
    hopeless: bool = False
    stale: bool = False
    node: str = ""


class NodePlugin(WorkerPlugin):
    """Gives every worker that joins a `Node` of its own."""

    name = "autograder-node"
    idempotent = True  # a second service on the same scheduler must not end nodes that are grading for the first
    node: Node
    cores: Cores

    def __init__(self, options: Options) -> None:
        self.options = options

    async def setup(self, worker: Worker) -> None:
        """Runs on the worker; a machine that cannot grade, for want of an engine or an image, lends nothing."""
        cores = sorted(os.sched_getaffinity(0))[: int(worker.state.total_resources.get("cores", 1))]
        try:
            self.node = Node(replace(self.options, gpus=lent()))  # what this machine has, not the dispatcher's
        except Exception:  # Dask would let it join, and every submission that is sent there would fail
            await worker.set_resources(**dict.fromkeys(worker.state.total_resources, 0))
            raise
        self.cores = Cores(cores)

    def teardown(self, worker: Worker) -> None:
        """Ends every guest."""
        node: Node | None = getattr(self, "node", None)  # none where it could not be made
        if node is not None:
            node.close()


class Cores:
    """Lends disjoint cores. Dask's resources guarantee that there are enough; this says which."""

    def __init__(self, cores: list[int]) -> None:
        self.every = tuple(cores)
        self._free = list(cores)
        self._wanted = 0  # tasks that wait
        self._changed = threading.Condition()

    def take(self, count: int) -> tuple[int, ...]:
        """So many cores, the last ones first, waiting for a task that is just ending."""
        with self._changed:
            self._wanted += 1
            try:
                if not self._changed.wait_for(lambda: len(self._free) >= count, timeout=60):
                    raise MachineError(f"{count} cores were promised, {len(self._free)} are free")
            finally:
                self._wanted -= 1
                self._changed.notify_all()  # who waits for a spare core waits for this, too
            taken = tuple(self._free[-count:])
            del self._free[-count:]
            return taken

    def give(self, cores: tuple[int, ...]) -> None:
        """Gives them back."""
        with self._changed:
            self._free = sorted([*self._free, *cores])
            self._changed.notify_all()

    def await_spare(self, core: int, limit_s: float) -> bool:
        """Until a core is free and nobody waits for one; takes nothing. False when that takes too long."""
        with self._changed:
            return self._changed.wait_for(lambda: self._spare(core), timeout=max(limit_s, 0.0))

    def borrow(self, core: int) -> bool:
        """Takes a core that is free and not wanted, for a moment; gives it back by `give`."""
        with self._changed:
            if not self._spare(core):
                return False
            self._free.remove(core)
            return True

    def _spare(self, core: int) -> bool:
        return core in self._free and not self._wanted


def grade(parcel: Parcel) -> Outcome:
    """Grades one submission on this worker."""
    worker = get_worker()
    plugin = cast(NodePlugin, worker.plugins[NodePlugin.name])
    say = teller(worker, parcel)
    try:
        work = _as_sent(parcel, plugin.options)
    except (CourseError, OSError) as error:
        return Outcome(None, f"node {worker.name}: {error}", stale=True, node=worker.address)
    try:
        attempt = _attempt(plugin.node, work, parcel, say)
        cores = plugin.cores.take(parcel.cores)
        try:
            verdict = _patiently(plugin.node, lambda: attempt(cores))
        finally:
            plugin.cores.give(cores)
    except (CourseError, SubmissionError) as error:
        return Outcome(None, str(error), hopeless=True)
    body = verdict.to_json()
    body["engine"] |= {"assignment_version": parcel.version, "node": worker.name}
    return Outcome(body, _ours(verdict))


def _as_sent(parcel: Parcel, options: Options) -> Assignment:
    """The assignment as it lies on this node.

    Raises:
        CourseError: it is not the service's, or cannot be read.
        OSError: somebody is changing the folder.
    """
    work = load(find(parcel.assignment))
    here = version(work, options.references or course_folder().parent / "reference")
    if here != parcel.version:
        words = (
            f"this node has version {here}, the service {parcel.version}: update the node's assignments and references"
        )
        raise CourseError(parcel.assignment, words)
    return work


def _attempt(node: Node, work: Assignment, parcel: Parcel, say: Say) -> Callable[[tuple[int, ...]], Grade]:
    """What grades the parcel, given cores.

    Raises:
        SubmissionError: it cannot be read.
    """
    if work.project:
        return lambda cores: grade_project(node, work, parcel.name, parcel.content, cores, say, trial=parcel.trial)
    submission = receive_bytes(parcel.name, parcel.content, work.limits.submission_kb, work.slug)
    return lambda cores: node.grade(work, submission, trial=parcel.trial, cores=cores, say=say)


def examine() -> dict[str, Any]:
    """This worker's own A/A duel, as `fit` and `words`."""
    plugin = cast(NodePlugin, get_worker().plugins[NodePlugin.name])
    until = time.monotonic() + ENGINE_WAIT_S
    while True:
        try:
            found = floor(plugin.node)
        except AutograderError as error:
            if plugin.node.answers() or time.monotonic() > until:
                return {"fit": False, "words": f"the A/A duel did not take place: {error}"}
            time.sleep(5)  # the engine restarts: that is no noise
            continue
        return {"fit": found.fitness is not Fitness.REFUSE, "words": found.words}


def _patiently(node: Node, attempt: Callable[[], Grade]) -> Grade:
    until = time.monotonic() + ENGINE_WAIT_S
    while True:
        verdict = attempt()
        failed = any(c.verdict is Verdict.GRADER_FAILED for c in verdict.criteria)
        if not failed or node.answers():
            return verdict
        while not node.answers() and time.monotonic() < until:
            time.sleep(0.5)
        if time.monotonic() >= until:
            return verdict


def _ours(verdict: Grade) -> str:
    return "; ".join(
        dict.fromkeys(
            str(c.evidence.get("problem") or c.sentence)
            for c in verdict.criteria
            if c.verdict.fault == "ours" and c.verdict is not Verdict.WAITING_FOR_HARDWARE
        )
    )


def teller(worker: Worker, parcel: Parcel) -> Callable[[dict[str, Any]], None]:
    """Progress, back to whoever watches; rounds are thinned out, but for the first of a duel: it may be over in no time."""
    last, duel, told = 0.0, None, dict[str, Any]()

    def say(news: dict[str, Any]) -> None:
        nonlocal last, duel, told
        if news["phase"] == WAITS or news == told:  # as often as others have the room
            return
        now, told = time.monotonic(), news
        before, duel = duel, news["criterion"] if news["phase"] == "duel" else None
        if duel is not None and duel == before and now - last < _NEWS_S:
            return
        last = now
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in news.items()}
        worker.log_event(TOPIC, {"submission": parcel.submission, "node": str(worker.name), **plain})

    return say
