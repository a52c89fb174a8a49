"""`autograder hub demo`: brings the platform up, lets the sample class hand in, shows who got what, and where to look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from autograder.api import SAMPLE_CLASS, AutograderError
from hub import proxy, sample
from hub.demo import PEOPLE, Demo, DemoError, up
from hub.nbgrader_plugins.client import Service, ServiceError
from hub.nbgrader_plugins.gradebook import GradebookError
from hub.site import Site

SAMPLE_S = 900.0
STARTING = "starting JupyterHub, proxy and service, releasing the assignments"
Entries = dict[str, dict[str, Any]]


def show(state: Path, port: int, *, stay: bool) -> list[str]:
    """The whole demo.

    Args:
        state: everything that is written lies here.
        stay: until Ctrl-C; else everything is stopped once the class is graded.

    Returns:
        Who of the class has no verdict.

    Raises:
        AutograderError: the platform did not come up, or stopped answering.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console.print(STARTING)
    try:
        with (
            console.status(STARTING) as status,
            up(state, port) as running,
        ):
            status.stop()
            students = ", ".join(n for n, r in PEOPLE.items() if r == "student")
            console.print(
                f"[bold]DEMO, loopback only.[/]  JupyterHub {running.url}  pages {running.url}/services/autograder/\n"
                f"Log in as a student ({students}), as the TA tess (Formgrader is in her server) or as the instructor ines; "
                f"password for all: {running.password}\nlog: {running.state}/hub.log\n"
                "The sample class hands in, and is graded for real: some minutes.",
                soft_wrap=True,
            )
            missing = _sample(running, console)
            if stay:
                console.print("Ready. Ctrl-C stops everything; what was handed in stays in the state folder.")
                running.process.wait()
            else:
                console.print("Not in a terminal: stopping (--stay keeps it up).")
    except (DemoError, GradebookError, proxy.ProxyError, ServiceError) as error:
        raise AutograderError(str(error)) from error
    return missing


def _sample(running: Demo, console: Console) -> list[str]:
    course = Site().course
    numbers = {}
    for pupil in SAMPLE_CLASS:
        with Service(running.service_url, running.token(pupil.name)) as service:
            numbers[pupil.name] = sample.submit(pupil, service, course)
    with Service(running.service_url, running.token("ines")) as service:
        latest = _watch(sample.follow(numbers, service, SAMPLE_S), console)
    return [name for name in numbers if latest.get(name, {}).get("score") is None]


def _watch(looks: Iterator[Entries], console: Console) -> Entries:
    """A table that changes in a terminal; elsewhere a line for each change, and then the table."""
    latest: Entries = {}
    with Live(console=console, refresh_per_second=1) if console.is_terminal else nullcontext() as live:
        for found in looks:
            if live is not None:
                live.update(_table(found))
            for name in (n for n in found if live is None and found[n]["state"] != latest.get(n, {}).get("state")):
                console.print(f"{name}: {found[name]['assignment']} {found[name]['state']}")
            latest = found
    if not console.is_terminal:
        console.print(_table(latest))
    return latest


def _table(latest: Entries) -> Table:
    title = "Sample class, handed in through nbgrader's exchange"
    table = Table("Student", "Assignment", "Points", "State", title=title, title_justify="left")
    for name, entry in latest.items():
        points = "" if entry["score"] is None else f"{entry['score']:g} / {entry['max_score']:g}"
        table.add_row(f"{name}: {sample.about(name)}", entry["assignment"], points, entry["state"])
    return table
