"""Options that several commands share."""

from __future__ import annotations

import click

SANDBOX = click.option(
    "--sandbox",
    type=click.Choice(["docker", "subprocess"]),
    default="docker",
    show_default=True,
    help="subprocess isolates nothing; its results are never recorded.",
)
