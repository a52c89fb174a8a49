"""A real service on a loopback port, people with tokens, and nbgrader in folders of its own."""

from __future__ import annotations

import gc
import os
import secrets
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory
from traitlets.config import Config

from autograder.api import Ledger
from autograder.domain.verdict import Verdict
from hub.demo import PEOPLE as EVERYBODY
from hub.demo import Demo, up
from hub.nbgrader_plugins.config import configure
from hub.service.access import Desk
from hub.service.app import make_app
from hub.service.ports import Grader, NoGrader
from hub.service.settings import Settings
from hub.service.token_identity import TokenIdentity

from .real_hub import SLUG as SLUG
from .real_hub import Browser, engine
from .work import COURSE, made_grade

PEOPLE = {"ada": "student", "bob": "student", "tess": "ta", "ines": "instructor"}


@dataclass
class Running:
    """A service that takes in and shows; the test says what was graded."""

    url: str
    ledger: Ledger
    desk: Desk
    tokens: dict[str, str] = field(default_factory=dict)

    def environment(self, name: str) -> dict[str, str]:
        """What a server of that person is told."""
        return {
            "AUTOGRADER_URL": self.url,
            "AUTOGRADER_TOKEN": self.tokens[name],
            "AUTOGRADER_COURSE": "course",
            "AUTOGRADER_COURSE_FOLDER": str(COURSE),
        }

    def record(self, points: Callable[[Any], float], verdict: Verdict = Verdict.PASSED) -> dict[str, Any]:
        """Grades what is next in the queue."""
        held = self.ledger.lease("test", free=64, hold_s=60.0)
        assert held is not None
        grade = made_grade(points, verdict)
        ours = "undecided" if verdict.fault == "ours" else ""
        assert self.ledger.record(held, grade.to_json(), staff=ours)
        return grade.to_json()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Running]:
    """The service on a free port of the loopback."""
    with serving(tmp_path, lambda _: NoGrader()) as running:
        yield running


@contextmanager
def serving(tmp_path: Path, grader: Callable[[Ledger], Grader]) -> Iterator[Running]:
    """The service with a grader of the test's choice."""
    settings = Settings(state=tmp_path / "state", course_folder=COURSE)
    ledger = Ledger.open(folder=settings.state)
    identity = TokenIdentity(settings, ledger)
    door = socket.create_server(("127.0.0.1", 0))
    app = make_app(settings, ledger, grader(ledger), identity)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    running = Running(f"http://127.0.0.1:{door.getsockname()[1]}/", ledger, app.state.desk)
    running.tokens = {name: identity.file.add(name, role) for name, role in PEOPLE.items()}
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        thread.join(0.02)
    yield running
    server.should_exit = True
    thread.join(20)
    door.close()
    ledger.close()


@pytest.fixture
def person(service: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`person("ada").start("Submit", assignment=…)` runs one class of the exchange as that person, in their own home."""

    def make(name: str) -> Person:
        home = tmp_path / "homes" / name
        home.mkdir(parents=True, exist_ok=True)
        for key, value in service.environment(name).items():
            monkeypatch.setenv(key, value)
        return Person(name, home, service, monkeypatch)

    return make


@dataclass
class Person:
    """Somebody at their own server."""

    name: str
    home: Path
    service: Running
    patch: pytest.MonkeyPatch

    def start(
        self, kind: str, *, assignment: str = SLUG, student: str = "*", course: str = "course", **traits: Any
    ) -> Any:
        """Runs `ExchangeFactory.<kind>` the way nbgrader's own programs do."""
        with self.at_home():
            config = Config()
            configure(config)
            config.CourseDirectory.course_id = course
            config.CourseDirectory.assignment_id = assignment
            config.CourseDirectory.student_id = student
            config.CourseDirectory.root = str(self.home / "course")
            config.Exchange.cache = str(self.home / "cache")
            config.Exchange.assignment_dir = str(self.home)
            for key, value in traits.pop("settings", {}).items():
                setattr(config.CourseDirectory, key, value)
            coursedir = CourseDirectory(config=config)
            authenticator = Authenticator(config=config)
            made = getattr(ExchangeFactory(config=config), kind)(
                coursedir=coursedir, authenticator=authenticator, config=config
            )
            for key, value in traits.items():
                setattr(made, key, value)
            return made.start()

    @contextmanager
    def at_home(self) -> Iterator[None]:
        """In their folder, with their token."""
        before = Path.cwd()
        for key, value in self.service.environment(self.name).items():
            self.patch.setenv(key, value)
        os.chdir(self.home)
        try:
            yield
        finally:
            os.chdir(before)

    def release_folder(self, notebooks: tuple[str, ...] = (SLUG,)) -> Path:
        """A `release/` folder as an instructor has it."""
        folder = self.home / "course" / "release" / SLUG
        folder.mkdir(parents=True)
        for name in notebooks:
            (folder / f"{name}.ipynb").write_text(notebook("def heat_step_n(T, alpha, dx, dt, n):\n    return T"))
        (folder / "data").mkdir()
        (folder / "data" / "numbers.txt").write_text("1 2 3\n")
        return folder


def notebook(source: str) -> str:
    """A notebook with one cell that is handed in, and an output that is not."""
    import nbformat

    cell = nbformat.v4.new_code_cell(source, id="work", metadata={"tags": ["export"]})
    cell.outputs = [nbformat.v4.new_output("stream", text="A PLOT")]
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=[cell])))


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A hub for all tests of this folder, whose containers and volumes go away with it."""
    prefix = f"autograder-test-{secrets.token_hex(3)}"
    client = engine()
    try:
        with up(tmp_path_factory.mktemp("hub"), 0, (SLUG,), container_prefix=prefix, course_folder=str(COURSE)) as made:
            yield made
    finally:
        for container in client.containers.list(all=True, filters={"name": prefix}):
            container.remove(force=True)
        for name in EVERYBODY:
            for volume in client.volumes.list(filters={"name": f"{prefix}-home-{name}"}):
                volume.remove(force=True)
        client.close()
        engine.cache_clear()
        with warnings.catch_warnings():  # docker leaves sockets to the collector
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.fixture(scope="package")
def ada(demo: Demo) -> Browser:
    """A student whose server runs."""
    ada = Browser.log_in(demo, "ada")
    ada.start_server()
    return ada


@pytest.fixture(scope="package")
def tess(demo: Demo) -> Browser:
    """A TA whose server runs."""
    tess = Browser.log_in(demo, "tess")
    tess.start_server()
    return tess
