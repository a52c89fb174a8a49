"""A hub with accounts of its own, as `autograder hub up` starts it, and people who sign up and log in by its forms."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub import accounts, demo
from hub.site import Site

from .real_hub import until
from .work import REPOSITORY

pytestmark = [pytest.mark.hub, pytest.mark.slow]
WORD = "correct horse battery"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Settings of a hub that runs; nobody starts a server."""
    roster = tmp_path / "roster.csv"
    roster.write_text("name,role\nines,instructor\nada,student\n")
    more = tmp_path / "more.py"
    more.write_text(
        f'c.JupyterHub.spawner_class = "simple"\nc.ConfigurableHTTPProxy.pid_file = "{tmp_path}/proxy.pid"\n'
    )
    told = {"AUTOGRADER_STATE": str(tmp_path / "state"), "AUTOGRADER_ROSTER": str(roster), "AUTOGRADER_HUB_CONFIG": str(more),
            "AUTOGRADER_HUB_BIND": f"http://127.0.0.1:{demo.free()}", "AUTOGRADER_HUB_ADDRESS": "127.0.0.1",
            "AUTOGRADER_HUB_PORT": str(demo.free()), "AUTOGRADER_SERVICE_PORT": str(demo.free()),
            "AUTOGRADER_PROXY_PORT": str(demo.free())}  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "autograder", "hub", "up"], cwd=tmp_path, stdout=log, stderr=log,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **told},
        )  # fmt: skip
    try:
        found = Site.read(told)
        until(lambda: process.poll() is not None or _answers(found), 60.0)
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _answers(site: Site) -> bool:
    try:
        return httpx.get(f"{site.bind}/hub/api/", timeout=2.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def send(client: httpx.Client, page: str, **fields: str) -> httpx.Response:
    """A form of the hub's."""
    client.get(f"/hub/{page}")
    return client.post(f"/hub/{page}", data={**fields, "_xsrf": client.cookies.get("_xsrf", path="/hub/") or ""})


def inside(client: httpx.Client) -> bool:
    """Whether the hub knows who that is."""
    return client.get("/hub/home").url.path == "/hub/home"


def test_people_sign_up_and_log_in_and_staff_are_confirmed(site: Site) -> None:
    """A student by a sign-up; an instructor by the command alone, which also ends what is open under a name."""

    def browser() -> httpx.Client:
        return httpx.Client(base_url=site.bind, follow_redirects=True, trust_env=False, timeout=30.0)

    with browser() as ada, browser() as thief, browser() as ines, browser() as again:
        for client, name in ((ada, "ada"), (thief, "ines")):
            send(client, "signup", username=name, signup_password=WORD, signup_password_confirmation=WORD)
            said = send(client, "login", username=name, password=WORD).text
        assert inside(ada) and not inside(thief) and "not confirmed yet" in said
        send(ines, "login", username="ines", password=accounts.make(site, "ines"))
        send(thief, "login", username="ines", password=WORD)
        assert inside(ines) and not inside(thief)
        word = accounts.make(site, "ada")
        assert not inside(ada)
        send(again, "login", username="ada", password=word)
        assert inside(again)
        send(again, "change-password", old_password=word, new_password=f"{WORD}!", new_password_confirmation=f"{WORD}!")
        send(ada, "login", username="ada", password=f"{WORD}!")
        assert inside(ada)
