"""Every node duels a kernel against itself once a night; one that fails gets no work until it passes.

A quarantine lies in the ledger, so that it outlives the service. A node in quarantine is examined again every hour, and
whenever staff ask. What waits only for such a node waits visibly; nothing is lost, and nobody is charged.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from distributed import Future

from autograder.engine.cluster import Cluster
from autograder.engine.task import examine
from autograder.ledger.machines import Examined
from autograder.ledger.store import Ledger

log = logging.getLogger("autograder.quarantine")
AGAIN = timedelta(hours=1)
LONGEST = timedelta(hours=2)  # from asking for it; longer than gradings keep a node busy, it went down with its node
_FETCH_S = 10.0
BEHIND_GRADINGS = -10  # Dask's priority: who hands in does not wait for a check


@dataclass(slots=True)
class _UnderWay:
    future: Future
    since: datetime


class Quarantine:
    """Examines nodes, and knows which ones are out.

    Args:
        hour: of the day, local time, at which nodes are examined; None never, and nobody is kept out.
        task: what a node does when it is examined; simulations put their own here.
    """

    def __init__(
        self,
        ledger: Ledger,
        cluster: Cluster,
        hour: int | None,
        task: Callable[[], dict[str, Any]] = examine,
    ) -> None:
        self._ledger, self._cluster, self._hour, self._task = ledger, cluster, hour, task
        self._known: dict[str, Examined] = ledger.examinations()
        self._seen: dict[str, datetime] = {}
        self._asked: set[str] = set()
        self._running: dict[str, _UnderWay] = {}

    def words(self, node: dict[str, Any]) -> str:
        """Why a node is out; empty when it is not."""
        known = self._known.get(key(node))
        return known.words if known is not None and not known.fit and self._hour is not None else ""

    def ask(self, node: dict[str, Any]) -> None:
        """Staff want to know now."""
        self._asked.add(key(node))

    def beat(self, nodes: list[dict[str, Any]]) -> None:
        """Collects what ended, starts what is due."""
        if self._hour is None:
            return
        now = self._ledger.clock()
        self._collect(now)
        for node in nodes:
            name = key(node)
            self._seen.setdefault(name, now)
            if name not in self._running and node["cores"] and (name in self._asked or self._due(name, now)):
                self._asked.discard(name)
                self._start(node, name, now)

    def _due(self, name: str, now: datetime) -> bool:
        known = self._known.get(name)
        if known is not None and not known.fit:
            return now - known.at >= AGAIN
        last = max(known.at if known else self._seen[name], now - timedelta(days=2))
        return last < last_night(now, self._hour or 0)

    def _start(self, node: dict[str, Any], name: str, now: datetime) -> None:
        future = self._cluster.client.submit(
            self._task, key=f"examination-{name}-{now.timestamp():.0f}", workers=[node["address"]], pure=False,
            resources={"cores": node["cores"]}, priority=BEHIND_GRADINGS,
        )  # fmt: skip
        self._running[name] = _UnderWay(future, now)

    def _collect(self, now: datetime) -> None:
        for name, check in list(self._running.items()):
            if check.future.status == "pending" and now - check.since < LONGEST:
                continue
            del self._running[name]
            if check.future.client is not self._cluster.client:
                continue  # the scheduler was lost, which says nothing about noise: another time
            if check.future.status == "finished":
                self._note(name, **check.future.result(timeout=_FETCH_S))
            elif check.future.status == "error":
                self._note(name, fit=False, words=f"the A/A duel failed: {check.future.exception(timeout=_FETCH_S)!r}")
            else:
                check.future.cancel(reason="it took too long")

    def _note(self, name: str, fit: bool, words: str) -> None:
        self._ledger.examined(name, fit=fit, words=words)
        self._known = self._ledger.examinations()
        log.log(logging.INFO if fit else logging.WARNING, "node %s: %s", name, words)


def key(node: dict[str, Any]) -> str:
    """A node's name in the ledger; Dask numbers its workers anew on every machine, and each is 127.0.0.1 to itself."""
    host = socket.gethostname() if node["host"] in ("127.0.0.1", "::1", "localhost") else node["host"]
    return f"{host}/{node['name']}"[:255]


def last_night(now: datetime, hour: int) -> datetime:
    """The newest moment at which a clock on this machine's wall showed that hour."""
    local = now.astimezone()
    at = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    return at if at <= local else at - timedelta(days=1)
