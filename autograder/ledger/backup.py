"""Backup and restore: one archive with every row and every blob, from one database to any other.

Rows are written as JSON lines of one snapshot, so that a course can move from SQLite to PostgreSQL by a backup and a restore.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table as SqlTable
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from autograder.errors import LedgerError
from autograder.ledger.models import Artefact, Chain, Moment, Submission, Table
from autograder.ledger.store import Ledger

_FORMAT = 1
_BATCH = 500


def backup(ledger: Ledger, path: Path, tell: Callable[[str], None] = lambda _: None) -> dict[str, int]:
    """Writes `path` (a tar archive), whole or not at all, while the service runs.

    Returns:
        Rows by table, and `blobs`.

    Raises:
        LedgerError: a blob is missing or changed, or the disk is full.
    """
    partial = path.with_name(path.name + ".partial")
    counts: dict[str, int] = {}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)  # every name, grade and submission is in it
        with tarfile.open(partial, "w") as archive, ledger.database.reads() as session:
            for table in Table.metadata.sorted_tables:
                lines = [
                    json.dumps(_plain(table, row._mapping), ensure_ascii=False)
                    for row in session.execute(select(table))
                ]
                counts[table.name] = len(lines)
                _add(archive, f"rows/{table.name}.jsonl", "\n".join(lines).encode())
                tell(f"{table.name}: {len(lines)} rows")
            digests = sorted({*session.scalars(select(Submission.sha256)), *session.scalars(select(Artefact.sha256))})
            for digest in digests:
                _add(archive, f"blobs/{digest}", ledger.blobs.get(digest))
            counts["blobs"] = len(digests)
            manifest = {"format": _FORMAT, "at": datetime.now(UTC).isoformat(), "counts": counts}
            _add(archive, "manifest.json", json.dumps(manifest, indent=1).encode())
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise LedgerError(f"{path}: {error.strerror or error}") from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return counts


def restore(ledger: Ledger, path: Path, tell: Callable[[str], None] = lambda _: None) -> dict[str, int]:
    """Fills an empty ledger from an archive: blobs first, then every row in one transaction, then the audit is checked.

    Raises:
        LedgerError: the ledger is not empty, or the archive is damaged; nothing is changed.
    """
    try:
        with tarfile.open(path) as archive:
            manifest = json.loads(_read(archive, "manifest.json"))
            if manifest.get("format") != _FORMAT:
                raise LedgerError(f"{path} has format {manifest.get('format')}, this version reads {_FORMAT}")
            counts: dict[str, int] = manifest["counts"]
            with ledger.database.writes() as session:
                if session.scalar(select(func.count()).select_from(Submission)) or session.scalar(select(Chain.seq)):
                    raise LedgerError("the ledger is not empty; restore into a new folder or database")
                for member in archive:
                    if member.name.startswith("blobs/"):
                        content = _read(archive, member.name)
                        if hashlib.sha256(content).hexdigest() != member.name.removeprefix("blobs/"):
                            raise LedgerError(f"{path}: {member.name} is damaged")
                        ledger.blobs.put(content)
                tell(f"{counts['blobs']} blobs")
                session.execute(Chain.__table__.delete())  # type: ignore[attr-defined]  # a Table
                for table in Table.metadata.sorted_tables:
                    if table.name not in counts:
                        continue  # younger than the archive
                    rows = list(_rows(table, _read(archive, f"rows/{table.name}.jsonl")))
                    if len(rows) != counts[table.name]:
                        raise LedgerError(
                            f"{path}: {table.name} has {len(rows)} rows, the manifest says {counts[table.name]}"
                        )
                    for i in range(0, len(rows), _BATCH):
                        session.execute(insert(table), rows[i : i + _BATCH])
                    tell(f"{table.name}: {len(rows)} rows")
                _number_on(session)
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise LedgerError(f"{path} is not a whole backup: {error}") from error
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror or error}") from error
    ledger.verify_audit()
    return counts


def _number_on(session: Session) -> None:
    """New rows get numbers after the restored ones."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for table in Table.metadata.sorted_tables:
        key = table.autoincrement_column
        if key is not None:
            sequence = func.pg_get_serial_sequence(table.name, key.name)
            session.execute(
                select(func.setval(sequence, select(func.coalesce(func.max(key), 0) + 1).scalar_subquery(), False))
            )


def _plain(table: SqlTable, row: Any) -> dict[str, Any]:
    return {c.name: v.isoformat() if isinstance(v := row[c.name], datetime) else v for c in table.columns}


def _rows(table: SqlTable, lines: bytes) -> Iterator[dict[str, Any]]:
    moments = [c.name for c in table.columns if isinstance(c.type, Moment)]
    for line in lines.decode().split("\n"):
        if line:
            row = json.loads(line)
            yield row | {m: datetime.fromisoformat(row[m]) for m in moments if row[m] is not None}


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise LedgerError(f"{name} is no file")
    return file.read()
