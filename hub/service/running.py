"""The platform in one process: ledger, dispatcher, gradebook and the app, taken down in turn."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from os import environ
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import uvicorn

from autograder.api import Cluster, Dispatcher, Ledger, Options, Quarantine
from hub.service.app import make_app
from hub.service.catalogue import Catalogue
from hub.service.cells import CellRuns
from hub.service.deadlines import Deadlines
from hub.service.identity import Identity
from hub.service.ports import Grader, NoGrader
from hub.service.settings import Settings
from hub.service.token_identity import TokenFile, TokenIdentity
from hub.tied import tie

_GRACE_S = 10


class _Server(uvicorn.Server):
    """Ends live streams before it waits for open connections."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Of SIGINT and SIGTERM."""
        app: Any = self.config.app
        app.state.stopping.set()
        super().handle_exit(sig, frame)


def run(host: str, port: int, state: Path | None, grader: bool, cores: int, person: str | None) -> None:
    """Serves until it is told to stop, or makes a token; arguments are the options of `autograder serve`."""
    try:
        settings = Settings.read()
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    settings = replace(settings, state=state or settings.state)
    if person is not None:
        _make_token(settings, person)
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    managed = "JUPYTERHUB_API_URL" in environ and "JUPYTERHUB_API_TOKEN" in environ
    if managed and environ.get("JUPYTERHUB_SERVICE_URL"):
        address = urlsplit(environ["JUPYTERHUB_SERVICE_URL"])
        host, port = address.hostname or host, address.port or port
    tie()  # or a hub that was killed would leave a second grader behind, beside that of the next
    # uvicorn raises the signal again after its own shutdown: then the stack below must still unwind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as open_things:
        ledger = Ledger.open(settings.database_url, settings.state)
        open_things.callback(ledger.close)
        dispatcher: Grader = NoGrader()
        if grader:
            # the dispatcher closes its cluster
            cluster = Cluster(settings.scheduler, Options(), cores)
            quarantine = Quarantine(ledger, cluster, settings.check_hour)
            dispatcher = open_things.enter_context(Dispatcher(ledger, cluster, quarantine=quarantine))
        identity = _identity(settings, ledger, managed)
        cells = CellRuns(ledger, dispatcher, settings.course)
        unwritten: Callable[[], list[str]] = list
        if settings.gradebook is not None:
            from hub.service.gradebook import GradebookWriter, Inside  # nbgrader is needed only with a gradebook

            here = f"http://{_reachable(host)}:{port}{settings.prefix}"
            deadlines = Deadlines(ledger, settings.course, Catalogue(settings.course_folder))
            writer = GradebookWriter(
                ledger, settings.gradebook, here, settings.course, cells=cells, deadlines=deadlines
            )
            identity = Inside(identity, writer.token)
            open_things.enter_context(writer)
            dispatcher.on_recorded(writer.recorded)
            unwritten = writer.problems
        app = make_app(settings, ledger, dispatcher, identity, cells, unwritten)
        # access lines would hold students' names and what they look at
        config = uvicorn.Config(
            app, host=host, port=port, access_log=False, timeout_graceful_shutdown=_GRACE_S, server_header=False
        )
        click.echo(f"serving course '{settings.course}' on http://{host}:{port}{settings.prefix}", err=True)
        _Server(config).run()


def _identity(settings: Settings, ledger: Ledger, managed: bool) -> Identity:
    if managed:
        from hub.service.hub_identity import HubIdentity  # JupyterHub is needed only under a hub

        return HubIdentity(settings, ledger)
    made = TokenIdentity(settings, ledger)
    if not made.file.people():
        token = made.file.add("instructor", "instructor")
        click.echo(
            f"first start: the instructor's token is {token} (shown once; `autograder serve --token NAME=ROLE` makes more)",
            err=True,
        )
    return made


def _reachable(host: str) -> str:
    """An address under which this process reaches itself."""
    everywhere = ("0.0.0.0", "::")  # noqa: S104  # compared with, not bound
    return "127.0.0.1" if host in everywhere else host


def _make_token(settings: Settings, person: str) -> None:
    name, _, role = person.partition("=")
    try:
        click.echo(TokenFile(settings.state).add(name, role or "student"))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--token") from error
