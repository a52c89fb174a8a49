"""`autograder node check`: is this machine fit for timing?"""

from __future__ import annotations

import json
import os
import socket
import sys
from dataclasses import asdict

import click
from rich.console import Console

from autograder.api import AutograderError, Node, Options, worker_environment
from autograder.cli.choices import SANDBOX
from autograder.domain.device import real
from autograder.engine.cluster import refuse_open
from autograder.engine.examine import LEAST, ROUNDS, floor
from autograder.measure.fitness import Fitness, Item, inspect
from autograder.measure.gpu import inspect_gpus
from autograder.measure.gpu import lent as lent_gpus
from autograder.measure.machine import copy_bandwidth, fingerprint

_STYLE = {Fitness.GOOD: "[green]✓[/]", Fitness.WARN: "[yellow]![/]", Fitness.REFUSE: "[red]✗[/]"}


@click.group()
def node() -> None:
    """This machine as a place where submissions are timed."""


@node.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--rounds",
    default=ROUNDS,
    show_default=True,
    type=click.IntRange(LEAST),
    help="Rounds of the A/A duel that measures the noise floor.",
)
@SANDBOX
def check(as_json: bool, rounds: int, sandbox: str) -> None:
    """Say in words whether verdicts of this machine can be trusted; exits 1 if it must not grade."""
    cores = (max(os.sched_getaffinity(0)),)
    items = [*inspect(cores), *inspect_gpus(), *_engine_and_noise(rounds, sandbox)]
    facts = {**fingerprint(), "copy_gb_per_s": round(copy_bandwidth() / 1e9, 2)}
    refused = any(i.fitness is Fitness.REFUSE for i in items)
    if as_json:
        click.echo(json.dumps({"fit": not refused, "machine": facts, "items": [asdict(i) for i in items]}))
    else:
        console = Console(highlight=False)
        console.print(
            f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gb']} GB, copies {facts['copy_gb_per_s']} GB/s, id {facts['id']}"
        )
        for item in items:
            console.print(f"{_STYLE[item.fitness]} {item.name}: {item.words}", soft_wrap=True)
        console.print("[red]not fit to grade[/]" if refused else "[green]fit to grade[/]")
    if refused:
        sys.exit(1)


def _engine_and_noise(rounds: int, sandbox: str) -> list[Item]:
    """The engine, the image, and a duel of a kernel against itself, on a core and on every GPU."""
    bare = Item("container engine", Fitness.WARN, "not asked for: nothing is isolated, and no grade is recorded")
    engine = Item("container engine", Fitness.GOOD, "answers, and has the grader image")
    found: list[Item] = []
    try:
        with Node(Options(kind=sandbox)) as here:
            found.append(engine if sandbox == "docker" else bare)
            for gpu in ("", *filter(real, here.options.gpus)):
                found.append(floor(here, rounds, gpu))
    except AutograderError as error:
        found.append(Item("noise floor" if found else "container engine", Fitness.REFUSE, str(error)))
    return found


@node.command()
@click.argument("scheduler")
@click.option("--cores", default=0, help="How many of this machine's cores to lend; 0 lends all.")
@click.option("--gpus", default=-1, help="How many GPUs to lend; all that are here, or that AUTOGRADER_GPUS names.")
@click.option(
    "--name",
    default="",
    help="Of this node, and of nobody else's: the ledger knows it by that. Default: the host's name.",
)
@click.option("--unfit", is_flag=True, help="Join although `node check` refuses.")
def join(scheduler: str, cores: int, gpus: int, name: str, unfit: bool) -> None:
    """Lend this machine to a running SCHEDULER (tls://…; tcp://… on this machine alone) until interrupted."""
    refuse_open(scheduler)
    found = [*inspect((max(os.sched_getaffinity(0)),)), *inspect_gpus()]
    bad = [i for i in found if i.fitness is Fitness.REFUSE]
    if bad and not unfit:
        raise click.ClickException("; ".join(f"{i.name}: {i.words}" for i in bad) + " (--unfit joins all the same)")
    count = cores or len(os.sched_getaffinity(0))
    here = lent_gpus()
    if gpus > len(here):
        raise click.UsageError(f"--gpus {gpus}: this machine has {len(here)} to lend")
    gpus = len(here) if gpus < 0 else gpus
    lent = f"cores={count}" + (f" gpu={gpus}" if gpus else "")
    command = [sys.executable, "-P", "-m", "distributed.cli.dask_worker", scheduler, "--nthreads", str(count), "--resources", lent,
               "--name", name or socket.gethostname(), "--no-dashboard", "--death-timeout", "60"]  # fmt: skip
    environment = os.environ | worker_environment() | {"AUTOGRADER_GPUS": ",".join(here[:gpus]) or "none"}
    os.execve(command[0], command, environment)  # noqa: S606  # Dask's own worker, from here on
