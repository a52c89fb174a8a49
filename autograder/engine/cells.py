"""A notebook's cells on a node, for showing: behind every grading, in time that no grading wants."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from distributed import Future, get_worker, secede

from autograder.course.cells import choose
from autograder.course.load import find, load
from autograder.domain.assignment import Assignment
from autograder.domain.shown import CellLimits, Shown
from autograder.engine.cluster import Cluster
from autograder.engine.node import Node
from autograder.engine.task import Cores, NodePlugin
from autograder.errors import AutograderError, MachineError, SandboxError
from autograder.judge.cells import play
from autograder.ledger.store import Ledger
from autograder.measure.room import Room
from autograder.sandbox.profile import Profile

LEAST_OF_ALL = -100  # Dask's priority: every grading goes first
_JUPYTER_MB, _JUPYTER_PROCESSES, _JUPYTER_SCRATCH_MB = 512, 64, 64  # beside what the assignment's own code may take
# ZeroMQ aborts where its threads may not set the policy that they have (without privileges there is no other), and where
# asking for network interfaces fails by another word than "not supported"
_JUPYTER_SYSCALLS = ("sched_setscheduler",)
_LOOK_S, _ANSWER_S = 2.0, 30.0
_ONE = threading.Lock()  # runs of one node take turns


@dataclass(frozen=True, slots=True)
class CellsParcel:
    """All that a worker needs; after `limit_s` nobody waits for the answer any more."""

    submission: int
    assignment: str
    name: str
    content: bytes
    limit_s: float


class SpareTime(Room):
    """The timing room for who has no core of their own: inside only while this core is lent to nobody and not wanted.

    Args:
        until: of the monotonic clock, when it is too late.
    """

    def __init__(self, folder: Path, cores: Cores, core: int, until: float) -> None:
        super().__init__(folder)
        self._cores, self._core, self._until = cores, core, until

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Waits with neither core nor room in hand, so that whoever grades or measures waits for one slice at most.

        Raises:
            SandboxError: it became too late.
        """
        while True:
            if not self._cores.await_spare(self._core, self._until - time.monotonic()):
                raise SandboxError("no time was left over by gradings")
            with super().shared():
                if not self._cores.borrow(self._core):
                    continue
                try:
                    yield
                    return
                finally:
                    self._cores.give((self._core,))


def show(node: Node, room: Room, core: int, work: Assignment, name: str, content: bytes, limits: CellLimits) -> Shown:
    """Runs the cells of one submission; without a notebook, or without cells to run, that is soon done.

    Raises:
        AutograderError: the sandbox failed, or the submission cannot be read.
    """
    with room.shared():  # parsing takes a core, too
        notebook, cells, files = choose(name, content, work.slug, work.limits.submission_kb)
    if not cells:
        return Shown(notebook, ())
    profile = profile_of(work, node.options.student_image, core)
    with node.guest(profile, room) as guest:
        return play(guest, room, work, notebook, cells, files, limits)


def profile_of(work: Assignment, image: str, core: int) -> Profile:
    """The assignment's own limits, and what Jupyter takes; one core."""
    wanted = work.resources
    return Profile(
        image, (core,), wanted.memory_mb + _JUPYTER_MB, wanted.processes + _JUPYTER_PROCESSES,
        wanted.scratch_mb + _JUPYTER_SCRATCH_MB, preload=("numpy",), syscalls=_JUPYTER_SYSCALLS,
        netlink_errno=errno.EOPNOTSUPP, terminals=True,
    )  # fmt: skip


def run(parcel: CellsParcel) -> dict[str, Any]:
    """On a worker: a `Shown` as JSON, or `{"problem": …}`."""
    worker = get_worker()
    plugin = cast(NodePlugin, worker.plugins[NodePlugin.name])
    secede()  # the thread that this task came in on is free for gradings at once
    until = time.monotonic() + parcel.limit_s
    if not _ONE.acquire(timeout=parcel.limit_s):
        return {"problem": "other notebooks came first"}
    room: SpareTime | None = None
    try:
        if not plugin.cores.every:
            raise MachineError("this node lends no core")
        core = plugin.cores.every[0]  # gradings are given the last ones first
        room = SpareTime(plugin.node.state, plugin.cores, core, until)
        work = load(find(parcel.assignment))
        return show(plugin.node, room, core, work, parcel.name, parcel.content, CellLimits()).to_json()
    except (AutograderError, OSError) as error:
        return {"problem": f"{type(error).__name__}: {error}"}
    finally:
        if room is not None:
            room.close()
        _ONE.release()


def request(cluster: Cluster, ledger: Ledger, submission: int, limit_s: float) -> dict[str, Any]:
    """Has a node run a submission's cells, and waits.

    Returns:
        A `Shown` as JSON.

    Raises:
        MachineError: no node could, or not in time; in words for staff.
        LedgerError: the submission is not known.
    """
    content = ledger.content(submission)
    entry = ledger.entry(submission)
    if entry is None:
        raise MachineError("there is no such submission")
    parcel = CellsParcel(submission, entry.assignment, entry.name, content, limit_s)
    client, ended, until = cluster.client, threading.Event(), time.monotonic() + limit_s
    future: Future | None = None
    try:
        if not cluster.alive() or not cluster.nodes():
            raise MachineError("no node is there")
        future = client.submit(run, parcel, priority=LEAST_OF_ALL, pure=False)
        future.add_done_callback(lambda _: ended.set())
        while not ended.wait(_LOOK_S):
            if str(client.status) != "running" or time.monotonic() > until:
                raise MachineError(f"no node answered within {limit_s:g} s, or the grader was stopped")
        answer = future.result(timeout=_ANSWER_S)
    except MachineError:
        raise
    except Exception as error:  # a worker or scheduler that died; Dask raises whatever it likes
        raise MachineError(f"the node failed: {error!r}") from error
    finally:
        if future is not None and str(client.status) == "running":
            future.cancel(reason="nobody waits any more")
    if "problem" in answer:
        raise MachineError(str(answer["problem"]))
    return dict(answer)
