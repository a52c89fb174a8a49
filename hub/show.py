"""`autograder hub demo`: brings the platform up, lets the sample class hand in, shows who got what, and where to look."""

from __future__ import annotations

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
    try:
        with (
            console.status("starting JupyterHub, proxy and service, releasing the assignments") as status,
            up(state, port) as running,
        ):
            status.stop()
            missing = _sample(running, console)
            students = ", ".join(n for n, r in PEOPLE.items() if r == "student")
            console.print(
                f"[bold]DEMO, loopback only.[/]  JupyterHub {running.url}  pages {running.url}/services/autograder/\n"
                f"Log in as a student ({students}), as the TA tess (Formgrader is in her server) or as the instructor ines; "
                f"password for all: {running.password}\nlog: {running.state}/hub.log",
                soft_wrap=True,
            )
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
    latest: dict[str, dict[str, Any]] = {}
    with (
        Service(running.service_url, running.token("ines")) as service,
        Live(console=console, refresh_per_second=1) as live,
    ):
        for latest in sample.follow(numbers, service, SAMPLE_S):
            live.update(_table(latest))
    return [name for name in numbers if latest.get(name, {}).get("score") is None]


def _table(latest: dict[str, dict[str, Any]]) -> Table:
    title = "Sample class, handed in through nbgrader's exchange"
    table = Table("Student", "Assignment", "Points", "State", title=title, title_justify="left")
    for name, entry in latest.items():
        points = "" if entry["score"] is None else f"{entry['score']:g} / {entry['max_score']:g}"
        table.add_row(f"{name}: {sample.about(name)}", entry["assignment"], points, entry["state"])
    return table
