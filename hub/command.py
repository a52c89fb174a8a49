"""`autograder hub`: starts the hub, for a demo or for a course."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType

import click

STATE = Path(".state/hub")  # of the demo


@click.group()
def hub() -> None:
    """JupyterHub with nbgrader and the grading service."""


@hub.command(name="up")
@click.option("--demo", is_flag=True, help="Made-up people, one password, on the loopback only.")
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    help=f"Everything that is written.  [default: AUTOGRADER_STATE; {STATE} with --demo]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="With --demo; 0 takes a free one, the default is 8000. Else AUTOGRADER_HUB_BIND.",
)
@click.option("--assignment", "assignments", multiple=True, help="With --demo: release these only; may be repeated.")
def begin(demo: bool, state: Path | None, port: int | None, assignments: tuple[str, ...]) -> None:
    """Start hub, proxy and service, and stop them on Ctrl-C.

    Without --demo the settings come from AUTOGRADER_* variables; hub/README.md lists them.
    """
    if not demo and port is not None:
        raise click.UsageError(
            "--port is the demo's: without --demo, AUTOGRADER_HUB_BIND=http://…:PORT says where the hub listens"
        )
    if not demo and assignments:
        raise click.UsageError(
            "--assignment is the demo's: without --demo, `python -m hub.nbgrader_plugins.gradebook` releases (hub/README.md)"
        )
    # nbgrader takes a second to import: not for `autograder --help`
    from autograder.api import AutograderError
    from hub import proxy
    from hub.demo import PEOPLE, DemoError, up
    from hub.nbgrader_plugins.gradebook import GradebookError

    try:
        if not demo:
            if state is not None:
                os.environ["AUTOGRADER_STATE"] = str(state.absolute())
            proxy.ensure()
            config = Path(__file__).with_name("jupyterhub_config.py")
            # replaces this process: signals and exit code are the hub's
            os.execv(sys.executable, [sys.executable, "-P", "-m", "jupyterhub", "-f", str(config)])  # noqa: S606
        _listen()
        with up(state or STATE, 8000 if port is None else port, assignments) as running:
            click.echo("DEMO: whoever knows the password is whoever they say; loopback only.", err=True)
            click.echo(f"JupyterHub  {running.url}\nService     {running.url}/services/autograder/")
            for name, role in PEOPLE.items():
                click.echo(f"  {name:<6} {role:<11} password {running.password}")
            click.echo(f"Log         {running.state}/hub.log\nReady. Ctrl-C stops everything.")
            code = running.process.wait()
        raise click.ClickException(f"the hub ended by itself with code {code}; see {running.state}/hub.log")
    except KeyboardInterrupt:
        click.echo("stopped")
    except (DemoError, GradebookError, proxy.ProxyError) as error:
        raise AutograderError(str(error)) from error


@hub.command()
@click.argument("names", nargs=-1, required=True)
@click.option(
    "--beside", is_flag=True, help="Also for names that the roster does not hold: administrators of your own settings."
)
def account(names: tuple[str, ...], beside: bool) -> None:
    """Make accounts for NAMES, or give them new passwords, and print these once (authenticator `native`).

    For staff, whose names nobody gets by signing up, for whoever forgot theirs, or for a whole class. Settings come from AUTOGRADER_*
    variables, as for `hub up`. They change it at /hub/change-password.
    """
    from hub import accounts  # JupyterHub's database takes a second to import
    from hub.site import Site, SiteError

    try:
        site = Site.read()
        for name in names:
            click.echo(f"{name}: {accounts.make(site, name, beside=beside)}")
        click.echo(
            "sessions and tokens of these names are ended; servers that run go on, without a way to submit: stop and start them",
            err=True,
        )
    except (accounts.AccountError, SiteError) as error:
        raise click.ClickException(str(error)) from error


@hub.command()
@click.option("--state", type=click.Path(path_type=Path), default=STATE, show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--stay/--no-stay", default=None, help="Stay up until Ctrl-C.  [default: in a terminal]")
def demo(state: Path, port: int, stay: bool | None) -> None:
    """The whole platform on the loopback: hub, service, grader, a course, and a sample class that hands in.

    Students, a TA and an instructor have accounts; addresses and the password are printed. Gradings are real.
    """
    from hub.show import show  # as above

    _listen()
    try:
        missing = show(state, port, stay=sys.stdin.isatty() if stay is None else stay)
    except KeyboardInterrupt:
        click.echo("stopped")
        return
    if missing:
        raise click.ClickException(f"no verdict for {', '.join(missing)}; see {state}/hub.log")


def _listen() -> None:
    """Being ended, or losing the terminal, stops everything like Ctrl-C; `nohup` is obeyed.

    A shell's background job inherits that Ctrl-C is ignored; so would all that the hub starts, and it ends its services
    by that signal, with half a minute of patience.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _as_interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _as_interrupt)


def _as_interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
