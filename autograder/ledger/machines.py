"""What is known of the machines that time: the newest examination of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from autograder.ledger import audit
from autograder.ledger.database import Database, retried
from autograder.ledger.models import Examination


@dataclass(frozen=True, slots=True)
class Examined:
    """How a node's newest A/A duel ended.

    Attributes:
        fit: False keeps the node out of work until a later one is passed.
    """

    at: datetime
    fit: bool
    words: str


class MachineRecords:
    """The part of the ledger that survives a restart of the service, so that a quarantine does, too."""

    database: Database
    clock: Callable[[], datetime]

    @retried
    def examined(self, node: str, *, fit: bool, words: str) -> None:
        """Writes the newest examination; the audit keeps every change for the worse or the better."""
        with self.database.writes() as session:
            known = session.get(Examination, node, with_for_update=True)
            if fit != (known is None or known.fit):
                what = "released from quarantine" if fit else "quarantined"
                audit.append(session, self.clock(), "grader", what, f"node {node}", words=words)
            session.merge(Examination(node=node, at=self.clock(), fit=fit, words=words))

    def examinations(self) -> dict[str, Examined]:
        """The newest of every node."""
        with self.database.reads() as session:
            return {e.node: Examined(e.at, e.fit, e.words) for e in session.scalars(select(Examination))}
