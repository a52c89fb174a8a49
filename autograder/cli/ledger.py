"""`autograder ledger`: look after the truth."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from autograder.api import Ledger, backup_ledger, restore_ledger

HUBS = "service"  # in a hub's folder, what belongs to its service
# what a hub's folder holds, and its service's does not
_OF_A_HUB = ("jupyterhub.sqlite", "jupyterhub_cookie_secret", "course", "nbgrader_config.py", HUBS)
STATE = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="AUTOGRADER_STATE",
    default=Path(".state/service"),
    show_default=True,
    help="The service's folder, or that of its hub: blobs and, unless --database is given, the database.",
)
DATABASE = click.option(
    "--database", default="", envvar="AUTOGRADER_DATABASE_URL", help="An SQLAlchemy URL such as postgresql+psycopg://…"
)


def of_service(state: Path) -> Path:
    """The service's folder; `AUTOGRADER_STATE` may name it, or its hub's."""
    inner = state / HUBS
    if (inner / "blobs").is_dir():
        return inner
    own = (state / "blobs").is_dir()
    return inner if not own and any((state / name).exists() for name in _OF_A_HUB) else state


def existing(database: str, state: Path) -> Ledger:
    """The ledger of a service that has run.

    Raises:
        LedgerError: there is none, and none is begun: an empty backup would look like a good one.
    """
    return Ledger.open(database, of_service(state), create=False)


@click.group()
def ledger() -> None:
    """Submissions, receipts and grades: state, audit, backup and restore."""


@ledger.command()
@STATE
@DATABASE
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(state: Path, database: str, as_json: bool) -> None:
    """How many submissions are where, and whether the audit holds."""
    found = existing(database, state)
    counts, checked = found.counts(), found.verify_audit()
    found.close()
    if as_json:
        click.echo(json.dumps({"states": counts, "audit_rows": checked}))
        return
    table = Table("State", "Submissions")
    for name, count in counts.items():
        table.add_row(name, str(count))
    console = Console()
    console.print(table)
    console.print(f"audit: {checked} rows, the chain holds")


@ledger.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@STATE
@DATABASE
def backup(path: Path, state: Path, database: str) -> None:
    """Write every row and every submission to PATH (a tar archive); the service may go on."""
    found = existing(database, state)
    counts = backup_ledger(found, path, click.echo)
    found.close()
    click.echo(f"{path}: {counts['submission']} submissions, {counts['grade']} grades, {counts['blobs']} files")


@ledger.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@STATE
@DATABASE
def restore(path: Path, state: Path, database: str) -> None:
    """Fill an empty ledger from PATH; also moves a course from SQLite to PostgreSQL.

    Where nothing of a hub is there yet, name the folder of its service: --state state/service.
    """
    folder = of_service(state)
    found = Ledger.open(database, folder)
    counts = restore_ledger(found, path, click.echo)
    found.close()
    click.echo(
        f"restored {counts['submission']} submissions and {counts['grade']} grades into {folder}; the audit's chain holds"
    )
