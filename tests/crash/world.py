"""A service that tests may kill, students who submit over HTTP and keep what they were told, and the comparison."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from autograder.domain.record import State
from autograder.ledger.store import Ledger

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
TIMED = 40  # points of the test assignment that a duel decides; the others a busy machine takes from nobody
NOISY = ("could not be decided", "too noisy to decide")


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def until(true: Callable[[], Any], seconds: float, what: str) -> Any:
    """Waits for something to become true.

    Raises:
        TimeoutError: it did not.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.02)
    raise TimeoutError(f"{what} did not happen within {seconds:g} s")


def of_noise(problem: str) -> bool:
    """Whether a grading was given back for nothing but a busy machine."""
    return any(words in problem for words in NOISY)


@dataclass
class World:
    """One folder, one database, and whatever runs on them."""

    folder: Path
    database: str = ""
    scheduler: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    course: Path = FIXTURES

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("assignments", "reference"):
            (self.folder / name).symlink_to(self.course / name)
        self.port = free_port()
        self.log = self.folder / "log"

    @property
    def url(self) -> str:
        """Of the service."""
        return f"http://127.0.0.1:{self.port}/"

    def run(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """A Python process in this world, in a session of its own."""
        # the real course's calendar passes; what is measured must not depend on the day
        env = os.environ | {"AUTOGRADER_TERM": str(ROOT / "tests" / "fixtures" / "no_deadlines.toml")} | {
            "PYTHONPATH": str(ROOT), "AUTOGRADER_STATE": str(self.folder / "state"), "AUTOGRADER_DATABASE_URL": self.database,
            "AUTOGRADER_SCHEDULER": self.scheduler, "PYTHONWARNINGS": "ignore",
        } | self.environment | environment  # fmt: skip
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments], cwd=self.folder, env=env, stdout=log, stderr=log, start_new_session=True
            )
        self.processes.append(process)
        return process

    def token(self, name: str, role: str = "student") -> str:
        """Somebody's token."""
        from hub.service.token_identity import TokenFile

        return TokenFile(self.folder / "state").add(name, role)

    def serve(self, step: str = "none", simulate: float | None = None) -> subprocess.Popen[bytes]:
        """The service, to die at a step."""
        extra = [] if simulate is None else ["--simulate", str(simulate)]
        process = self.run("-m", "tests.crash.victim", step, *extra, "--port", str(self.port), "--host", "127.0.0.1")
        self.wait(process)
        return process

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        """Until it answers, or is dead."""

        def up() -> bool:
            if process.poll() is not None:
                return True
            try:
                return httpx.get(self.url + "api/health", timeout=2).status_code == 200
            except httpx.HTTPError:
                return False

        until(up, 40, f"the service's start (see {self.log})")

    def submit(self, student: str, token: str, content: bytes, name: str = "s.py") -> bool:
        """As a student would; True with a receipt, False when the service died under them."""
        try:
            answer = httpx.post(
                f"{self.url}api/assignments/t_basic/submissions", params={"filename": name}, content=content,
                headers={"Authorization": f"token {token}"}, timeout=20,
            )  # fmt: skip
        except httpx.HTTPError:
            return False
        if answer.status_code == 503:
            return False
        assert answer.status_code == 201, answer.text
        self.told[answer.json()["receipt"]["id"]] = answer.json()["receipt"] | {"bytes": content}
        return True

    def ledger(self) -> Ledger:
        """The truth, beside the service."""
        return Ledger.open(self.database, self.folder / "state")

    def all_graded(self, seconds: float) -> None:
        """Waits until nothing is queued or running."""
        ledger = self.ledger()
        try:
            busy = (State.QUEUED, State.RUNNING, State.WAITING)

            def idle() -> bool:
                counts = ledger.counts()  # once: what is given back between two questions would be in neither
                return not any(counts[s] for s in busy)

            until(idle, seconds, "grading everything")
        finally:
            ledger.close()

    def compare(self, score: Callable[[bytes], float]) -> dict[str, int]:
        """Every receipt has a row, a blob and exactly one grade, the right one; the audit's chain holds."""
        from sqlalchemy import func, select

        from autograder.ledger.models import Attempt, GradeRow

        ledger = self.ledger()
        try:
            for identity, told in self.told.items():
                receipt = ledger.receipt(identity)
                assert receipt is not None and receipt.sha256 == told["sha256"], identity
                assert ledger.content(receipt.submission) == told["bytes"]
                entry = ledger.entry(receipt.submission)
                assert entry is not None and entry.score is not None, entry
                # a duel may stay open on a busy machine; then the last grade says so and staff are asked
                noisy = entry.state is State.STAFF and of_noise(entry.problem)
                assert entry.state is State.GRADED or noisy, entry
                full = score(told["bytes"])
                assert entry.score == full or (noisy and 0 < full - TIMED <= entry.score < full), entry
            with ledger.database.reads() as session:
                per = select(func.count()).select_from(GradeRow).group_by(GradeRow.submission)
                assert set(session.scalars(per)) <= {1}, "graded twice"
                charged = select(Attempt.problem).where(Attempt.outcome.in_(("returned", "expired")))
                problems = [p for p in session.scalars(charged) if not of_noise(p)]
                open_attempts = session.scalar(select(func.count()).select_from(Attempt).where(Attempt.outcome == ""))
                assert open_attempts == 0
                attempts = session.scalar(select(func.count()).select_from(Attempt)) or 0
            assert ledger.verify_audit() > 0
            return {"receipts": len(self.told), "attempts": attempts, "given_back": len(problems)}
        finally:
            ledger.close()

    def close(self) -> None:
        """Ends all that was started here."""
        for process in reversed(self.processes):  # the service before the scheduler that it speaks to
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def program(seed: str = "") -> bytes:
    """A submission nobody else has."""
    solution = next((FIXTURES / "assignments" / "t_basic" / "solutions").glob("*.py"))
    return solution.read_bytes() + f"\n# {seed or secrets.token_hex(4)}\n".encode()
