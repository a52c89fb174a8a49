"""A service on a real ledger, four people with tokens, and a grader that only does what a test tells it."""

from __future__ import annotations

import io
import queue
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
import uvicorn

from autograder.api import Assignment, AutograderError, Grade, Ledger
from autograder.domain.grade import CriterionResult
from autograder.domain.measurement import Decision, DuelOutcome, Round, TierOutcome
from autograder.domain.verdict import Verdict
from hub.service.app import make_app
from hub.service.settings import Bucket, Settings
from hub.service.token_identity import TokenIdentity
from tests.conftest import FIXTURES

SLUG = "t_basic"
SOLUTION = b"def work(x, steps):\n    return x\n"
SECRET = "hidden-detail-4711"  # noqa: S105  # stands in the evidence of a hidden check
PEOPLE = {"ada": "student", "ben": "student", "tom": "ta", "ivy": "instructor"}


class Subscription:
    """News that a test sends."""

    def __init__(self, grader: FakeGrader, submission: int) -> None:
        self.grader, self.submission = grader, submission
        self.news: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        self.grader.watching.setdefault(self.submission, []).append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.grader.watching[self.submission].remove(self)

    def get(self, timeout: float) -> dict[str, Any] | None:
        """The next, or None."""
        try:
            return self.news.get(timeout=timeout)
        except queue.Empty:
            return None


class FakeGrader:
    """Checked against `hub.service.ports.Grader` in `test_ports`."""

    def __init__(self) -> None:
        self.woken = 0
        self.examined: list[str] = []
        self.watching: dict[int, list[Subscription]] = {}
        self.calls: list[Callable[[int], None]] = []
        self.shown: dict[str, Any] | None = None  # what a run of cells answers
        self.runs: list[int] = []

    def wake(self) -> None:
        """Counts."""
        self.woken += 1

    def nodes(self) -> list[dict[str, Any]]:
        """One machine with a hostile name."""
        return [
            {"name": "<b>node</b>", "cores": 2, "busy": 1, "gpu": False, "last_seen": 0.0, "quarantined": ""},
            {"name": "n2", "cores": 4, "busy": 0, "gpu": False, "last_seen": 0.0, "quarantined": "noise <i>31%</i>"},
        ]

    def examine(self, name: str) -> bool:
        """Kept for the test to look at."""
        self.examined.append(name)
        return name == "n2"

    def watch(self, submission: int) -> Subscription:
        """News that a test sends."""
        return Subscription(self, submission)

    def on_recorded(self, call: Callable[[int], None]) -> None:
        """Kept for the test to call."""
        self.calls.append(call)

    def cells(self, submission: int, limit_s: float) -> dict[str, Any]:
        """What a test says that a notebook shows."""
        self.runs.append(submission)
        if self.shown is None:
            raise AutograderError("no node is there")
        return self.shown

    def tell(self, submission: int, phase: str, **news: Any) -> None:
        """Sends news."""
        for one in self.watching.get(submission, []):
            one.news.put({"submission": submission, "phase": phase, **news})


def duel(speedup: float) -> DuelOutcome:
    """A short duel."""
    rounds = tuple(Round(1e-3, 1e-3 / speedup, speedup * (1 + i / 100), 0, i % 2 == 0) for i in range(6))
    tiers = (TierOutcome(1.0, 20, Decision.PASS, 6), TierOutcome(9.0, 20, Decision.FAIL, 6))
    return DuelOutcome(
        "work", speedup, (speedup * 0.9, float("inf")), 0.99, rounds, tiers, 1e-3, 1e-3 / speedup, 1e-5, 1e-5, 0.1
    )


def verdict(
    name: str,
    sha256: str,
    *,
    points: float = 30,
    speedup: float = 2.0,
    code: Verdict = Verdict.PASSED,
    sentence: str = "Correct.",
) -> Grade:
    """A grade with a public check, a hidden one with a secret, and a duel."""
    criteria = (
        CriterionResult("examples", "The examples", 0, 0, Verdict.PASSED, "Correct.", True, {"seen": "public-detail"}),
        CriterionResult("formula", "Formula", points, 30, code, sentence, False, {"detail": SECRET}),
        CriterionResult("speed", "Speed", 20, 40, Verdict.TOO_SLOW, "Not every tier.", True, {}, duel(speedup)),
    )
    machine = {"processor": "p", "cores": 2, "memory_gb": 4, "kernel": "k", "id": "m"}
    return Grade(SLUG, name, sha256, criteria, machine, {"entropy": "seed-0815", "isolated": True}, 1.0, 0.1)


class Server(uvicorn.Server):
    """A real server on a free port, in a thread."""

    def __init__(self, app: Any) -> None:
        super().__init__(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=5))
        self.up = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    async def startup(self, sockets: Any = None) -> None:
        """Says when it listens."""
        await super().startup(sockets)
        self.up.set()

    def __enter__(self) -> str:
        self.thread.start()
        assert self.up.wait(20)
        port = self.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self.should_exit = True
        self.config.app.state.stopping.set()
        self.thread.join(20)


@dataclass
class House:
    """All that a test touches."""

    app: Any
    ledger: Ledger
    grader: FakeGrader
    settings: Settings
    tokens: dict[str, str]
    http: httpx.Client
    browsers: list[httpx.Client] = field(default_factory=list)

    def api(self, who: str, method: str, path: str, **more: Any) -> Any:
        """A request with somebody's token."""
        headers = {"Authorization": f"token {self.tokens[who]}"} | more.pop("headers", {})
        return self.http.request(method, f"{self.settings.prefix}{path}", headers=headers, **more)

    def browser(self, who: str) -> httpx.Client:
        """Somebody's browser, logged in."""
        client = httpx.Client(base_url=self.http.base_url, timeout=30)
        client.cookies.set("autograder-session", self.tokens[who])
        self.browsers.append(client)
        return client

    def page(self, who: str, path: str) -> Any:
        """A page in somebody's browser."""
        return self.browser(who).get(f"{self.settings.prefix}{path}")

    def submit(self, who: str = "ada", content: bytes = SOLUTION, name: str = "solution.py") -> int:
        """Hands in; returns the submission's id."""
        answer = self.api(
            who, "POST", f"api/assignments/{SLUG}/submissions", params={"filename": name}, content=content
        )
        assert answer.status_code == 201, answer.text
        return int(answer.json()["receipt"]["submission"])

    def grade(self, submission: int, **about: Any) -> None:
        """Records a verdict, by the ledger's own steps."""
        held = self.ledger.lease("test", free=8, hold_s=60)
        assert held is not None and held.submission == submission
        assert self.ledger.record(held, verdict(held.name, held.sha256, **about).to_json())
        for call in self.grader.calls:
            call(submission)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Generous limits; tests of limits make their own."""
    many = Bucket(1000, 1)
    return Settings(
        prefix="/services/autograder/",
        state=tmp_path,
        course_folder=FIXTURES / "assignments",
        door=many,
        grade=many,
        trial=many,
    )


@pytest.fixture
def build(settings: Settings) -> Iterator[Callable[..., House]]:
    """Makes a service with changed settings."""
    with ExitStack() as open_things:

        def make(**changed: Any) -> House:
            mine = replace(settings, **changed)
            ledger, grader = Ledger.open("", mine.state), FakeGrader()
            open_things.callback(ledger.close)
            identity = TokenIdentity(mine, ledger)
            tokens = {name: identity.file.add(name, role) for name, role in PEOPLE.items()}
            app = make_app(mine, ledger, grader, identity)
            url = open_things.enter_context(Server(app))
            http = open_things.enter_context(httpx.Client(base_url=url, timeout=30))
            house = House(app, ledger, grader, mine, tokens, http)
            open_things.callback(lambda: [b.close() for b in house.browsers])
            return house

        yield make


@pytest.fixture
def house(build: Callable[..., House]) -> House:
    """The usual service."""
    return build()


@pytest.fixture
def assignment(basic: Assignment) -> Assignment:
    """What the service serves."""
    return basic


def packed(files: dict[str, bytes]) -> bytes:
    """A .tar.gz."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()
