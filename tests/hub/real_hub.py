"""A hub that really runs, and people who speak to it with their tokens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import docker
import httpx

from hub.demo import Demo

SLUG = "a04_heat_plate"


def until(found: Callable[[], Any], limit_s: float = 120.0) -> Any:
    """What a question answers once it answers anything."""
    end = time.monotonic() + limit_s
    pause = threading.Event()
    while not (answer := found()):
        assert time.monotonic() < end, f"nothing within {limit_s:g} s"
        pause.wait(0.3)
    return answer


@dataclass
class Browser:
    """Somebody who logged in; speaks to the hub, their server and the service."""

    name: str
    demo: Demo
    token: str

    @classmethod
    def log_in(cls, demo: Demo, name: str) -> Browser:
        """By the hub's form."""
        with httpx.Client(base_url=demo.url, follow_redirects=True, timeout=120.0, trust_env=False) as client:
            client.get("/hub/login")
            xsrf = client.cookies.get("_xsrf", path="/hub/") or ""
            client.post("/hub/login", data={"username": name, "password": demo.password, "_xsrf": xsrf})
            xsrf = client.cookies.get("_xsrf", path="/hub/") or ""
            answer = client.post(f"/hub/api/users/{name}/tokens", json={"note": "test"}, headers={"X-XSRFToken": xsrf})
            answer.raise_for_status()
            return cls(name, demo, answer.json()["token"])

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """With the token of this person."""
        return httpx.request(
            method, self.demo.url + path, headers={"Authorization": f"token {self.token}"}, timeout=120.0,
            trust_env=False, follow_redirects=True, **more,
        )  # fmt: skip

    def start_server(self) -> None:
        """And wait until it answers."""
        self.ask("POST", f"/hub/api/users/{self.name}/server")
        until(lambda: self.ask("GET", f"/user/{self.name}/api/status").status_code == 200)

    def assignments(self, action: str = "") -> Any:
        """The Assignment List: its table, or one of its buttons."""
        where = f"/user/{self.name}/assignments"
        if not action:
            return self.ask("GET", where, params={"course_id": "course"}).json()["value"]
        body = {"course_id": "course", "assignment_id": SLUG}
        answer = self.ask("POST", f"{where}/{action}", json=body).json()
        assert answer["success"], answer
        return answer["value"]

    def service(self, path: str) -> Any:
        """The service's API through the proxy."""
        return self.ask("GET", f"/services/autograder/api/{path}").json()


@cache
def engine() -> docker.DockerClient:
    """One client of the container engine."""
    return docker.from_env()


def container_of(person: Browser) -> Any:
    """The engine's object of a person's server."""
    (found,) = [
        c for c in engine().containers.list() if c.name.startswith("autograder-test-") and c.name.endswith(person.name)
    ]
    return found
