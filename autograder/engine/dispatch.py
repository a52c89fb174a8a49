"""From the ledger to Dask and back. Dask carries leased ids, never truth: whatever dies, leases lapse and are taken again."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Self

from distributed import Future

from autograder.domain.record import Lease
from autograder.engine import cells
from autograder.engine.cluster import Cluster
from autograder.engine.parcels import Parcels
from autograder.engine.quarantine import Quarantine
from autograder.engine.stale import MOST, Stale
from autograder.engine.task import TOPIC, Outcome, Parcel, grade
from autograder.engine.watch import Board, Subscription
from autograder.errors import LedgerError
from autograder.ledger.queue import TRIES, Sizes
from autograder.ledger.store import Ledger
from autograder.sandbox.owner import lives, me

log = logging.getLogger("autograder.dispatch")
HOLD_S = 30.0
NOBODY_S = 30.0  # while no node has the assignment as it is here
REST_S = 20.0  # after a failure of ours, times the tries so far: what disturbed the machine may pass
_BEAT_S = 0.5
_NODES_S = 2.0
_TELL_S = 10.0
_LONGEST_S = 3600.0  # a task that runs longer is lost, whatever its worker says
_FORGET = object()


@dataclass(slots=True)
class _Running:
    lease: Lease
    future: Future | None
    begun: float
    outcome: Outcome | None = None
    addresses: tuple[str, ...] = ()  # of the nodes that may run it; empty is any
    version: str = ""  # of the assignment


class Dispatcher:
    """Leases what fits, sends it to a node, renews while it runs, records what comes back.

    Args:
        ledger: the truth.
        cluster: where tasks run.
        task: what a node does with a parcel; simulations put their own here.
        hold_s: how long a lease lasts without a heartbeat.
        quarantine: keeps nodes out that fail their nightly A/A duel; None keeps nobody out.
    """

    def __init__(
        self,
        ledger: Ledger,
        cluster: Cluster,
        task: Callable[[Parcel], Outcome] = grade,
        hold_s: float = HOLD_S,
        quarantine: Quarantine | None = None,
    ) -> None:
        self.ledger, self.cluster, self.quarantine = ledger, cluster, quarantine
        self._task, self._hold_s = task, hold_s
        self._holder = f"{socket.gethostname()}:{me()}"
        self._board = Board()
        self._running: dict[tuple[int, int], _Running] = {}
        self._ended: SimpleQueue[tuple[tuple[int, int], Future]] = SimpleQueue()
        self._recorded: SimpleQueue[Any] = SimpleQueue()
        self._calls: list[Callable[[int], None]] = []
        self._wake, self._stop = threading.Event(), threading.Event()
        self._nodes: list[dict[str, Any]] = []
        self._looked = self._renewed = self._asked = 0.0
        self._gpus: set[str] = set()  # addresses of the nodes that have one
        self._sizes = Sizes(0, 0)
        self._parcels, self._stale = Parcels(ledger), Stale()
        self._threads = [
            threading.Thread(target=self._work, name="dispatcher", daemon=True),
            threading.Thread(target=self._follow, name="after-recording", daemon=True),
        ]

    def __enter__(self) -> Self:
        self._listen()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops leasing; what was under way goes back to the queue, at no charge."""
        self._stop.set()
        self._wake.set()
        self._recorded.put(_FORGET)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=30)
        for running in self._running.values():
            if running.future is not None:
                running.future.cancel(reason="the dispatcher stops")
            try:
                self.ledger.give_back(running.lease, "the grader was stopped", charge=False)
            except LedgerError as error:
                log.warning("submission %s stays leased until it lapses: %s", running.lease.submission, error)
        self._running.clear()
        self.cluster.close()

    # for the service

    def wake(self) -> None:
        """Something was submitted."""
        self._wake.set()

    def watch(self, submission: int) -> Subscription:
        """News of one submission."""
        return Subscription(self._board, submission)

    def on_recorded(self, call: Callable[[int], None]) -> None:
        """Calls back, in a thread of its own, after a grade is on disk."""
        self._calls.append(call)

    def nodes(self) -> list[dict[str, Any]]:
        """The machines: name, host, cores, gpu, busy (cores lent here), last_seen, quarantined (why, or empty)."""
        return self._nodes

    def examine(self, name: str) -> bool:
        """Asks for a node's A/A duel now; False when there is no such node, or nobody examines."""
        found = next((n for n in self._nodes if n["name"] == name), None)
        if found is None or self.quarantine is None:
            return False
        self.quarantine.ask(found)
        self._wake.set()
        return True

    def cells(self, submission: int, limit_s: float) -> dict[str, Any]:
        """What a submission's notebook shows when it is run on a node, behind every grading. Waits.

        Raises:
            MachineError: no node could, or not in time.
            LedgerError: the submission is not known.
        """
        return cells.request(self.cluster, self.ledger, submission, limit_s)

    # the loop

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                self._beat()
            except (LedgerError, OSError, TimeoutError) as error:
                log.warning("waiting: %s", error)
                self._stop.wait(1.0)
            except Exception:  # the loop must outlive whatever Dask raises; leases lapse, nothing is lost
                log.exception("the dispatcher stumbled")
                self._stop.wait(1.0)
            self._wake.wait(_BEAT_S)
            self._wake.clear()

    def _beat(self) -> None:
        if not self.cluster.alive():
            self._lose("the scheduler was lost")
            if not self.cluster.reconnect():
                return
            self._listen()
        self._collect()
        now = time.monotonic()
        if now - self._renewed > self._hold_s / 5:
            self._renew(now)
            self._renewed = now
        if now - self._looked > _NODES_S or not self._nodes:
            self._look()
            self._looked = now
        self._feed()

    def _look(self) -> None:
        found = self.cluster.nodes()
        lent = sum(r.lease.cores for r in self._running.values())
        if self.quarantine is not None:
            self.quarantine.beat(found)
        out = self.quarantine.words if self.quarantine is not None else lambda _: ""
        self._nodes = [
            n | {"busy": min(lent, n["cores"]) if len(found) == 1 else None, "quarantined": out(n)} for n in found
        ]
        here = {n["address"] for n in found}
        for running in [r for r in self._running.values() if r.outcome is None]:
            held = running.lease
            if running.addresses and not here & set(running.addresses):
                self._drop(running, "its node left")
            elif found and not any(_holds(n, held) for n in found):
                self._drop(running, "the nodes that it fits left", charge=True)
        self._say_what_waits()

    def _say_what_waits(self) -> None:
        """Tells the ledger when nodes have come or gone, and every few seconds for what was handed in since."""
        fit = self._fit()
        gpus = {n["address"] for n in fit if n["gpu"]}
        sizes = Sizes.of((n["cores"], n["gpu"]) for n in fit)
        if (gpus, sizes) == (self._gpus, self._sizes) and time.monotonic() - self._asked < _TELL_S:
            return
        self.ledger.hardware(gpu=bool(gpus), joined=bool(gpus - self._gpus))
        if fit and (left := self.ledger.oversized(sizes)):
            log.warning("%d in the queue ask for more cores than any node has (%d)", left, sizes.cores)
        self._gpus, self._sizes, self._asked = gpus, sizes, time.monotonic()

    def _fit(self) -> list[dict[str, Any]]:
        return [n for n in self._nodes if not n["quarantined"]]

    def _renew(self, now: float) -> None:
        for running in list(self._running.values()):
            if now - running.begun > _LONGEST_S:
                self._drop(running, "it ran for an hour", charge=True)
        for lost in self.ledger.renew([r.lease for r in self._running.values()], hold_s=self._hold_s):
            self._forget((lost.submission, lost.token))
        host = self._holder.partition(":")[0] + ":"
        dead = [h for h in self.ledger.holders() if h.startswith(host) and not lives(h.removeprefix(host))]
        for submission in self.ledger.sweep(dead):
            self._board.tell(submission, "queued", problem="the grader stopped answering")

    def _feed(self) -> None:
        fit = self._fit()
        total = sum(n["cores"] for n in fit)
        gpus = sum(n["gpu"] for n in fit)
        sizes = Sizes.of((n["cores"], n["gpu"]) for n in fit)
        while not self._stop.is_set():
            free = total - sum(r.lease.cores for r in self._running.values())
            if free <= 0:
                return
            kept = total > 1 and free == 1  # the last free core is kept for live work
            spare = gpus - sum(r.lease.gpu for r in self._running.values())
            held = self.ledger.lease(
                self._holder, free=free, hold_s=self._hold_s, sizes=sizes, gpu=spare > 0,
                gpu_busy=bool(gpus) and spare <= 0, live_only=kept,
            )  # fmt: skip
            if held is None:
                return
            self._send(held)

    def _send(self, held: Lease) -> None:
        key = (held.submission, held.token)
        running = self._running[key] = _Running(held, None, time.monotonic())
        try:
            found = self._parcels.of(held)
            if isinstance(found, Outcome):
                running.outcome = found
                self._settle(key, running)
            elif found is None:
                self._forget(key)
                self._board.tell(held.submission, "queued")
            else:
                self._submit(key, running, found)
        except Exception as error:  # database, storage or scheduler is away: nobody's fault, and no slot waits for it
            if running.outcome is None:
                try:
                    self._drop(running, str(error), wait_s=REST_S if isinstance(error, LedgerError) else 0.0)
                finally:
                    self._forget(key)
            raise

    def _submit(self, key: tuple[int, int], running: _Running, parcel: Parcel) -> None:
        held, running.version = running.lease, parcel.version
        resources = {"cores": held.cores} | ({"gpu": 1} if held.gpu else {})
        fit = [n for n in self._fit() if not self._stale.lacks(n["address"], parcel.assignment, parcel.version)]
        if not any(_holds(n, held) for n in fit):
            words = f"no node has version {parcel.version} of {parcel.assignment}: update the nodes"
            self._drop(running, words, wait_s=NOBODY_S)
            return
        if len(fit) < len(self._nodes):
            running.addresses = tuple(n["address"] for n in fit)
        running.future = self.cluster.client.submit(
            self._task, parcel, key=f"submission-{held.submission}-{held.token}", resources=resources, pure=False,
            workers=list(running.addresses) or None,
        )  # fmt: skip
        self._board.tell(held.submission, "leased", tries=held.tries)
        running.future.add_done_callback(lambda future: self._done(key, future))

    def _done(self, key: tuple[int, int], future: Future) -> None:
        self._ended.put((key, future))
        self._wake.set()

    def _collect(self) -> None:
        for key, running in list(self._running.items()):
            if running.outcome is not None:  # the database was away when it ended
                self._settle(key, running)
        ended: list[tuple[tuple[int, int], Future]] = []
        with contextlib.suppress(Empty):
            while True:
                ended.append(self._ended.get_nowait())
        try:
            self._open(ended)
            while ended:
                key, _ = ended[0]
                known = self._running.get(key)
                if known is not None and known.outcome is not None:
                    self._settle(key, known)
                elif known is not None:  # cancelled or lost with its scheduler: nobody's fault, nobody's charge
                    self._drop(known, "the scheduler lost it")
                ended.pop(0)
        finally:
            for event in ended:  # a node died with its answers, or the database is away: again on the next beat
                self._ended.put(event)

    def _open(self, ended: list[tuple[tuple[int, int], Future]]) -> None:
        """Fetches what nodes answered, all at once."""
        finished = [(key, future) for key, future in ended if key in self._running and future.status == "finished"]
        outcomes = self.cluster.client.gather([future for _, future in finished])
        for (key, _), outcome in zip(finished, outcomes, strict=True):
            self._running[key].outcome = outcome
        for key, future in ended:
            if key in self._running and future.status == "error":
                self._running[key].outcome = Outcome(None, f"the node failed: {future.exception()!r}")

    def _settle(self, key: tuple[int, int], running: _Running) -> None:
        """Writes what came back; when this raises, the outcome is kept and written on a later beat."""
        held, outcome = running.lease, running.outcome
        assert outcome is not None
        if outcome.grade is None and outcome.stale:
            phase = self._settle_stale(running, outcome)
        elif outcome.grade is None and outcome.hopeless:
            self.ledger.escalate(held, outcome.problem)
            phase = "needs-staff"
        elif outcome.problem and (outcome.grade is None or held.tries < TRIES):
            state = self.ledger.give_back(held, outcome.problem, wait_s=REST_S * held.tries)
            phase = str(state) if state else "late"
        else:
            assert outcome.grade is not None
            phase = "recorded" if self.ledger.record(held, outcome.grade, staff=outcome.problem) else "late"
        if not outcome.stale:
            self._stale.forget(held.submission)
        self._forget(key)
        self._board.tell(held.submission, phase, problem=outcome.problem)
        if phase in ("recorded", "needs-staff"):
            self._recorded.put(held.submission)

    def _settle_stale(self, running: _Running, outcome: Outcome) -> str:
        """Back to the queue at no charge, a handful of times."""
        held = running.lease
        times = self._stale.times(held.submission) + 1
        log.warning("submission %s: %s", held.submission, outcome.problem)
        self._parcels.look_again(held.assignment)
        if times < MOST:
            state = self.ledger.give_back(held, outcome.problem, charge=False, wait_s=REST_S * times)
        else:
            state = self.ledger.escalate(held, f"{outcome.problem} ({times} times; when that is mended, regrade)")
        self._stale.note(held.submission, outcome.node, held.assignment, running.version)
        if times >= MOST:
            self._stale.forget(held.submission)
        return str(state) if state else "late"

    def _lose(self, problem: str) -> None:
        for running in list(self._running.values()):
            if running.outcome is None:
                self._drop(running, problem)

    def _drop(self, running: _Running, problem: str, *, charge: bool = False, wait_s: float = 0.0) -> None:
        if running.future is not None and self.cluster.alive():
            running.future.cancel(reason=problem)
        self.ledger.give_back(running.lease, problem, charge=charge, wait_s=wait_s)
        self._forget((running.lease.submission, running.lease.token))
        self._board.tell(running.lease.submission, "queued", problem=problem)

    def _forget(self, key: tuple[int, int]) -> None:
        running = self._running.pop(key, None)
        if running is not None and running.future is not None:
            running.future.release()

    # helpers

    def _listen(self) -> None:
        self.cluster.client.subscribe_topic(TOPIC, self._heard)

    def _heard(self, event: tuple[float, dict[str, Any]]) -> None:
        news = dict(event[1])
        self._board.tell(news.pop("submission"), news.pop("phase"), **news)

    def _follow(self) -> None:
        while (submission := self._recorded.get()) is not _FORGET:
            for call in self._calls:
                try:
                    call(submission)
                except Exception:  # what follows a grade must not stop the next
                    log.exception("after submission %s was recorded", submission)


def _holds(node: dict[str, Any], held: Lease) -> bool:
    return bool(node["cores"] >= held.cores and node["gpu"] >= held.gpu)
