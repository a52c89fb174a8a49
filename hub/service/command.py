"""`autograder serve`: the whole platform on one machine; the same app behind JupyterHub when that started it."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Take submissions in over HTTP, grade them, show verdicts live.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8700, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option(
    "--state", type=click.Path(path_type=Path), help="Folder of ledger, blobs and tokens.  [AUTOGRADER_STATE]"
)
@click.option("--grader/--no-grader", default=True, help="Whether this process grades, or only takes in and shows.")
@click.option("--cores", default=0, metavar="N", help="Cores of this machine to grade on; 0 takes all.")
@click.option("--token", "person", metavar="NAME=ROLE", help="Make a token for somebody, print it, and end.")
def serve(host: str, port: int, state: Path | None, grader: bool, cores: int, person: str | None) -> None:
    """Take submissions in over HTTP, grade them, show verdicts live.

    Alone, people log in with tokens; the first start makes one for the instructor. Started by JupyterHub, the hub says
    who is who, and where to listen.
    """
    from hub.service.running import run  # seconds of imports: not for `autograder --help`

    run(host, port, state, grader, cores, person)
