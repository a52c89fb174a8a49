"""`autograder submit` and `autograder try`: to a running service, with a token."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import click
import httpx
from rich.console import Console

from autograder.api import AutograderError, Grade, SubmissionError
from autograder.cli import EXIT_OURS
from autograder.course.intake import receive_files
from autograder.report import terminal

_END = {"recorded", "needs-staff"}
_URL = click.option(
    "--url", envvar="AUTOGRADER_URL", default="http://127.0.0.1:8700/", show_default=True, help="The service."
)
_TOKEN = click.option(
    "--token",
    envvar=["AUTOGRADER_TOKEN", "JUPYTERHUB_API_TOKEN"],
    help="From the hub's token page, or from `autograder serve`.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


class Service:
    """A running service as a client sees it."""

    def __init__(self, url: str, token: str | None) -> None:
        if not token:
            raise click.UsageError(
                "a token is needed: --token, or AUTOGRADER_TOKEN in the environment. The hub's token page gives one; "
                "so does `autograder serve --token NAME=student` where no hub runs"
            )
        self.url = url.rstrip("/") + "/"
        self.client = httpx.Client(base_url=self.url, headers={"Authorization": f"token {token}"}, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def call(self, method: str, path: str, lost: str = "ask again", **more: Any) -> Any:
        """One request; every refusal becomes a sentence.

        Args:
            lost: what to do where it got no answer.

        Raises:
            SubmissionError: refused, with the reason.
            AutograderError: the service is away or failed.
        """
        try:
            answer = self.client.request(method, path, **more)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            said = "nothing was submitted, try again" if method == "POST" else lost
            raise AutograderError(f"{self.url} does not answer ({error}); {said}") from error
        except httpx.HTTPError as error:
            raise AutograderError(f"{self.url} gave no answer ({error or type(error).__name__}); {lost}") from error
        if answer.status_code >= 500:
            raise AutograderError(f"{self.url}: {_detail(answer)}")
        if answer.status_code >= 400:
            wait = answer.headers.get("Retry-After")
            raise SubmissionError(_detail(answer) + (f" (in {wait} s)" if wait else ""))
        return answer.json()

    def send(self, assignment: str, file: Path, purpose: str) -> dict[str, Any]:
        """Submits bytes; the answer holds the receipt."""
        content = _content(file)
        path = f"api/assignments/{quote(assignment, safe='')}/submissions"
        found: dict[str, Any] = self.call(
            "POST", path, params={"purpose": purpose, "filename": content[0]}, content=content[1],
            lost="it may have arrived: "
            + ("hand the same file in again, which counts once" if purpose == "grade" else "look at your page before you try again"),
        )  # fmt: skip
        return found

    def news(self, submission: int, wait_s: float) -> Iterator[dict[str, Any]]:
        """What happens to it, until it is graded or the time is up; survives a service that restarts."""
        until = time.monotonic() + wait_s
        while time.monotonic() < until:
            try:
                timeout = httpx.Timeout(10, read=30)
                with self.client.stream("GET", f"api/submissions/{submission}/events", timeout=timeout) as answer:
                    if 400 <= answer.status_code < 500:
                        answer.read()
                        raise SubmissionError(_detail(answer))
                    for line in answer.iter_lines():
                        if line.startswith("data:"):
                            message = json.loads(line.removeprefix("data:"))
                            yield message
                            if message.get("phase") in _END:
                                return
            except (httpx.HTTPError, ValueError):
                pass  # it restarts: ask again
            time.sleep(1)


@click.command()
@click.argument("assignment")
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@_URL
@_TOKEN
@_JSON
@click.option("--wait/--no-wait", default=True, help="Follow it to the verdict, or stop at the receipt.")
def submit(assignment: str, file: Path, url: str, token: str | None, as_json: bool, wait: bool) -> None:
    """Hand FILE in for ASSIGNMENT; prints the receipt, then the verdict."""
    with Service(url, token) as service:
        _send(service, assignment, file, "grade", as_json=as_json, wait_s=3600 if wait else 0)


@click.command("try")
@click.argument("assignment")
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@_URL
@_TOKEN
@_JSON
def try_(assignment: str, file: Path, url: str, token: str | None, as_json: bool) -> None:
    """Measure FILE on the grading hardware before handing it in: public checks and a short duel, never a grade."""
    with Service(url, token) as service:
        _send(service, assignment, file, "try", as_json=as_json, wait_s=3600)


def _send(service: Service, assignment: str, file: Path, purpose: str, *, as_json: bool, wait_s: float) -> None:
    receipt = service.send(assignment, file, purpose)["receipt"]
    console = Console(stderr=True, quiet=as_json, highlight=False)
    again = "; the same bytes were handed in before" if receipt["duplicate"] else ""
    console.print(
        f"receipt {receipt['id']} at {receipt['received_at']}, SHA-256 {receipt['sha256'][:16]}…{again}", soft_wrap=True
    )
    state: dict[str, Any] = {"receipt": receipt}
    if wait_s:
        kept = f"receipt {receipt['id']} stands, nothing is lost"
        try:
            with console.status("queued") as status:
                for message in service.news(receipt["submission"], wait_s):
                    status.update(_words(message))
            state |= service.call("GET", f"api/submissions/{receipt['submission']}", lost=kept)
        except (AutograderError, KeyboardInterrupt) as error:
            if as_json:
                click.echo(json.dumps(state))
            if isinstance(error, AutograderError):
                raise
            console.print(f"no longer followed; it is graded all the same: {kept}")
            sys.exit(130)
    if late := state.get("late"):
        days = f"{late['days']} day{'s' if late['days'] != 1 else ''}"
        console.print(f"[yellow]{days} late: {late['points']:g} points are taken off[/]")
    if as_json:
        click.echo(json.dumps(state))
    elif state.get("grade"):
        terminal.show(Grade.from_json(state["grade"]), Console())
    if wait_s and not state.get("grade"):
        console.print(f"not graded yet ({state.get('state')}); it is in the ledger, nothing is lost")
        sys.exit(EXIT_OURS)


def _content(file: Path) -> tuple[str, bytes]:
    if file.is_dir():
        import gzip  # folders alone need them
        import io
        import tarfile

        files, _ = receive_files(file, 16 * 1024)
        packed = io.BytesIO()
        # without a time in its head: the same files are the same bytes, and are known again
        with (
            gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w:") as archive,
        ):
            for name in sorted(files):
                info = tarfile.TarInfo(name)
                info.size = len(files[name])
                archive.addfile(info, io.BytesIO(files[name]))
        return f"{file.name}.tar.gz", packed.getvalue()
    return file.name, file.read_bytes()


def _words(message: dict[str, Any]) -> str:
    phase = message.get("phase", "")
    return terminal.news(message) if phase in ("load", "check", "duel", "retry") else phase


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"answered {answer.status_code}"
