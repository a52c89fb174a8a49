"""A log that cannot be changed in silence: each row's hash covers the row before it."""

from __future__ import annotations

import contextlib
import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from autograder.errors import LedgerError
from autograder.ledger.models import AuditRow, Chain

_START = "0" * 64


def append(session: Session, at: datetime, who: str, what: str, about: str, **detail: Any) -> None:
    """Adds one row in the caller's transaction; writers take turns at the chain's end."""
    end = session.get(Chain, 1, with_for_update=True)
    if end is None:
        raise LedgerError("the audit's chain has no end; restore the database from a backup")
    end.seq += 1
    text = json.dumps(detail, sort_keys=True, ensure_ascii=False)
    end.hash = _link(end.hash, end.seq, at, who, what, about, text)
    session.add(AuditRow(seq=end.seq, at=at, who=who, what=what, about=about, detail=text, hash=end.hash))


def verify(session: Session) -> int:
    """Walks the chain.

    Returns:
        Rows that were checked.

    Raises:
        LedgerError: a row was changed, removed or added by hand; says which.
    """
    previous, seq = _START, 0
    with contextlib.closing(
        session.scalars(select(AuditRow).order_by(AuditRow.seq).execution_options(yield_per=1000))
    ) as rows:
        for row in rows:
            seq += 1
            if row.seq != seq or row.hash != _link(previous, row.seq, row.at, row.who, row.what, row.about, row.detail):
                raise LedgerError(f"the audit was changed at row {seq}")
            previous = row.hash
    end = session.get(Chain, 1)
    if end is None or (end.seq, end.hash) != (seq, previous):
        raise LedgerError(f"the audit was cut after row {seq}")
    return seq


def _link(previous: str, seq: int, at: datetime, who: str, what: str, about: str, detail: str) -> str:
    content = json.dumps([previous, seq, at.isoformat(), who, what, about, detail], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()
