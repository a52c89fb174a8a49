"""What an operator decides, read once from the environment; `hub/README.md` explains every variable."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROLES = ("student", "ta", "instructor")
HUB_DATABASE = "jupyterhub.sqlite"


class SiteError(ValueError):
    """A setting is wrong; the text names it."""


@dataclass(frozen=True, slots=True)
class Site:
    """How the hub runs.

    Attributes:
        bind: what browsers reach: the proxy's address.
        address: where students' servers reach hub and service; the network's gateway if empty.
        members: name → role.
        memory: of one server, as Docker writes it.
        idle_s: servers without activity are stopped after this.
        seed_token: of a hub service that may act for `seed_user`; the demo releases its assignments with it.
    """

    course: str = "course"
    state: Path = Path("state")
    bind: str = "http://127.0.0.1:8000"
    public_url: str = ""
    address: str = ""
    hub_port: int = 8081
    service_port: int = 8700
    authenticator: str = "native"
    password: str = ""
    spawner: str = "docker"
    image: str = "autograder-student:current"
    network: str = "autograder-students"
    prefix: str = "autograder"
    cores: float = 2.0
    memory: str = "2G"
    processes: int = 512
    idle_s: int = 3600
    seed_token: str = ""
    seed_user: str = ""
    course_folder: str = ""
    scheduler: str = ""
    database_url: str = ""
    hub_database_url: str = ""
    members: dict[str, str] = field(default_factory=dict)

    @property
    def course_dir(self) -> Path:
        """nbgrader's course directory."""
        return self.state / "course"

    @property
    def hub_database(self) -> str:
        """Where JupyterHub keeps people and tokens."""
        return self.hub_database_url or f"sqlite:///{self.state}/{HUB_DATABASE}"

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Site:
        """From `AUTOGRADER_*`.

        Raises:
            SiteError: a value cannot be.
        """
        roster = environment.get("AUTOGRADER_ROSTER", "")
        plain = {
            name: environment[f"AUTOGRADER_{key}"]
            for name, key in _WORDS.items()
            if environment.get(f"AUTOGRADER_{key}")
        }
        numbers: dict[str, int | float] = {}
        for name, key in _NUMBERS.items():
            word = environment.get(f"AUTOGRADER_{key}")
            if word:
                try:
                    numbers[name] = float(word) if name == "cores" else int(word)
                except ValueError as error:
                    raise SiteError(f"AUTOGRADER_{key} must be a number, not {word!r}") from error
        state = Path(environment.get("AUTOGRADER_STATE", "state")).absolute()
        return cls(state=state, members=read_roster(Path(roster)) if roster else {}, **plain, **numbers)  # type: ignore[arg-type]


_WORDS = {
    "course": "COURSE",
    "bind": "HUB_BIND",
    "public_url": "HUB_PUBLIC_URL",
    "address": "HUB_ADDRESS",
    "authenticator": "AUTHENTICATOR",
    "password": "DEMO_PASSWORD",
    "spawner": "SPAWNER",
    "image": "STUDENT_IMAGE",
    "network": "NETWORK",
    "prefix": "CONTAINER_PREFIX",
    "memory": "SERVER_MEMORY",
    "seed_token": "SEED_TOKEN",
    "seed_user": "SEED_USER",
    "course_folder": "COURSE_FOLDER",
    "scheduler": "SCHEDULER",
    "database_url": "DATABASE_URL",
    "hub_database_url": "HUB_DATABASE_URL",
}
_NUMBERS = {
    "hub_port": "HUB_PORT",
    "service_port": "SERVICE_PORT",
    "cores": "SERVER_CORES",
    "processes": "SERVER_PROCESSES",
    "idle_s": "IDLE_S",
}


def own(folder: Path) -> None:
    """Makes a folder for its owner alone, or closes one that everybody may enter: names, grades and secrets lie there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_mode & 0o007 and found.st_uid == os.geteuid():
        folder.chmod(0o700)


def read_roster(path: Path) -> dict[str, str]:
    """A CSV file with the columns `name` and `role`.

    Raises:
        SiteError: with the line that is wrong, or because it names nobody.
    """
    members: dict[str, str] = {}
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets begin a file with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(f"{path} cannot be read: {error}") from error
    with io.StringIO(text, newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            name, role = (row.get("name") or "").strip(), (row.get("role") or "").strip()
            if not name or role not in ROLES:
                raise SiteError(f"{path}, line {number}: write name,role with a role of {', '.join(ROLES)}")
            if any(name.lower() == known.lower() for known in members):
                raise SiteError(f"{path}, line {number}: {name} stands there twice")
            members[name] = role
    if not members:  # not the same as no roster, which shuts nobody out
        raise SiteError(f"{path} names nobody: write name,role and a line for each person")
    return members
