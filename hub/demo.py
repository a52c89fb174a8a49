"""`autograder hub up --demo`: the whole platform on one machine's loopback, seeded, until Ctrl-C."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil

from autograder.api import SAMPLE_CLASS, all_folders, project_folders
from hub import proxy, roles, spawner
from hub.nbgrader_plugins.gradebook import sync
from hub.site import Site, own
from hub.tied import PARENT

PEOPLE = {pupil.name: "student" for pupil in SAMPLE_CLASS} | {"tess": "ta", "ines": "instructor"}
READY_S, STOP_S = 120.0, 60.0
LOCK = ".demo.lock"

# of a real hub, in this shell: a demo would shut its people out, and hand in to it
_REAL = {"AUTOGRADER_DATABASE_URL", "AUTOGRADER_HUB_DATABASE_URL", "AUTOGRADER_HUB_CONFIG", "AUTOGRADER_SCHEDULER"}


class DemoError(Exception):
    """The demo could not be started; the text says why, and where the log is."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A running hub.

    Attributes:
        url: what a browser opens.
        hub_api: for programs, on this machine.
        service_url: the service, on this machine.
    """

    url: str
    hub_api: str
    service_url: str
    password: str
    seed_token: str
    state: Path
    process: subprocess.Popen[bytes]

    def token(self, name: str) -> str:
        """A token of an instructor, for seeding; good for ten minutes."""
        answer = httpx.post(
            f"{self.hub_api}/users/{name}/tokens",
            headers={"Authorization": f"token {self.seed_token}"},
            json={"note": "seeding", "expires_in": 600},
            trust_env=False,
        )
        answer.raise_for_status()
        return str(answer.json()["token"])


@contextmanager
def up(state: Path, port: int = 0, assignments: tuple[str, ...] = (), **settings: str) -> Iterator[Demo]:
    """Starts hub, proxy and service, seeds the course, and stops everything at the end.

    Args:
        state: everything that is written lies here, and is found again the next time.
        port: of the loopback; 0 takes a free one.
        assignments: what to release; every assignment of the course if none.
        settings: more `AUTOGRADER_*` variables, without the prefix, in lower case.

    Raises:
        DemoError: it did not come up.
    """
    state = state.absolute()
    own(state)
    with alone(state), _up(state, port, assignments, settings) as running:
        yield running


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """One demo in a folder: two would write one database, and each believe the other's hub to be its own.

    Raises:
        DemoError: somebody is there.
    """
    with (state / LOCK).open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise DemoError(
                f"{state} is in use by another demo (process {lock.read().strip() or 'unknown'}): stop that one, or give this one "
                "a folder of its own (--state)"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def names(state: Path) -> str:
    """What its containers and volumes begin with: never those of a real hub, or of another demo, on this machine, whose homes they are."""
    return f"autograder-demo-{hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:8]}"


@contextmanager
def _up(state: Path, port: int, assignments: tuple[str, ...], settings: dict[str, str]) -> Iterator[Demo]:
    (state / "course").mkdir(exist_ok=True)
    password = _kept(state / "password", lambda: secrets.token_urlsafe(6))
    roster = state / "roster.csv"
    roster.write_text("name,role\n" + "".join(f"{name},{role}\n" for name, role in PEOPLE.items()), encoding="utf-8")
    (state / "course.toml").write_text(_term(datetime.now(UTC)), encoding="utf-8")
    try:
        proxy.ensure()
        gateway = spawner.network(settings.get("network", Site().network))
    except (proxy.ProxyError, spawner.SpawnerError) as error:
        raise DemoError(str(error)) from error
    public, hub_port, service_port, proxy_port = port or free(), free(gateway), free(gateway), free()
    chosen = {
        "AUTOGRADER_STATE": str(state),
        "AUTOGRADER_ROSTER": str(roster),
        "AUTOGRADER_TERM": str(state / "course.toml"),
        "AUTOGRADER_AUTHENTICATOR": "dummy",
        "AUTOGRADER_DEMO_PASSWORD": password,
        "AUTOGRADER_CONTAINER_PREFIX": names(state),
        "AUTOGRADER_HUB_BIND": f"http://127.0.0.1:{public}",
        "AUTOGRADER_HUB_ADDRESS": gateway,
        "AUTOGRADER_HUB_PORT": str(hub_port),
        "AUTOGRADER_SERVICE_PORT": str(service_port),
        "AUTOGRADER_PROXY_PORT": str(proxy_port),
        "AUTOGRADER_SEED_TOKEN": secrets.token_hex(32),
        "AUTOGRADER_SEED_USER": "ines",
        "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(32),
        PARENT: str(os.getpid()),
        **{f"AUTOGRADER_{key.upper()}": value for key, value in settings.items()},
    }
    environment = {k: v for k, v in os.environ.items() if k not in _REAL} | chosen
    site = Site.read(environment)
    spawner.own_course_dir(site)
    log = state / "hub.log"
    with log.open("ab") as out:
        command = [
            sys.executable,
            "-P",
            "-m",
            "jupyterhub",
            "-f",
            str(Path(__file__).with_name("jupyterhub_config.py")),
        ]
        process = subprocess.Popen(  # noqa: S603  # fixed command
            command, cwd=state, env=environment, stdout=out, stderr=out, start_new_session=True
        )
    demo = Demo(
        f"http://127.0.0.1:{public}",
        f"http://{gateway}:{hub_port}/hub/api",
        roles.service_url(site),
        password,
        chosen["AUTOGRADER_SEED_TOKEN"],
        state,
        process,
    )
    try:
        _wait(f"{demo.hub_api}/", process, log)
        _wait(f"{demo.url}/services/{roles.SERVICE}/api/health", process, log)
        slugs = assignments or tuple(f.name for f in all_folders() if not f.name.startswith("_"))
        staff = {
            "AUTOGRADER_URL": demo.service_url,
            "AUTOGRADER_TOKEN": demo.token("ines"),
            "AUTOGRADER_COURSE": site.course,
            "AUTOGRADER_COURSE_FOLDER": site.course_folder,
            "AUTOGRADER_TERM": chosen["AUTOGRADER_TERM"],
        }
        sync(site.course_dir, ",".join(slugs), "", staff)
        yield demo
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the hub, which ends proxy, service and servers; what does not end in time is killed with all that it started."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        # proxy and service have sessions of their own: a signal to the hub's group would not reach them
        started = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        for child in started:
            with suppress(psutil.NoSuchProcess):
                child.kill()


def free(address: str = "127.0.0.1") -> int:
    """A port that nobody uses now."""
    with socket.create_server((address, 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _term(now: datetime) -> str:
    """A calendar in which nothing of the sample class is late, whenever the demo is run."""
    slugs = [f.name for f in all_folders() if not f.name.startswith("_")]
    rows = "\n".join(
        f"{slug} = {{ released = {now - timedelta(days=1):%Y-%m-%d}, due = {now + timedelta(days=7 * (i + 1)):%Y-%m-%d} }}"
        for i, slug in enumerate(slugs)
    )
    ends = now + timedelta(days=7 * (len(slugs) + 1))
    projects = "\n".join(
        f'{f.name} = {{ released = {now - timedelta(days=1):%Y-%m-%d}, due = {ends:%Y-%m-%d}, part = "project" }}'
        for f in project_folders()
    )
    return f"""# Written by the demo at every start; a real course keeps its own, see assignments/course.toml.
title = "The demo's course"
term = "this term"
timezone = "UTC"
shares = {{ assignments = 0.5, proposal = 0.1, project = 0.4 }}

[assignments]
{rows}
{projects}
"""


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until a URL answers."""
    until = time.monotonic() + READY_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url, timeout=2.0, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise DemoError(f"{url} did not answer; the log {log} ends with:\n{said}")


def _kept(path: Path, make: Any) -> str:
    """A secret that is made once and found again."""
    if not path.is_file() or not path.stat().st_size:
        partial = path.with_name(f"{path.name}.partial")
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        partial.write_text(make(), encoding="utf-8")
        partial.replace(path)
    return path.read_text(encoding="utf-8")
