"""The pytest plugin: fixtures of the checks, and every outcome as a finding."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.domain.measurement import DuelOutcome
from autograder.domain.verdict import Fault, Finding, Verdict
from autograder.errors import CourseError, SandboxError
from autograder.judge.compare import CheckFailure, fail
from autograder.judge.duel import Duel, Make, Verify, Weigh
from autograder.judge.grading import IDLE, Grading
from autograder.judge.proxy import Proxy

SHARE = 0.9  # of the grading's limit, for a duel's first rounds: it ends by itself long before pytest ends the check


class Calls:
    """Counts what was evaluated in the judge on the student's behalf."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wraps a callback, so that its calls are counted."""

        def counted(*arguments: Any) -> Any:
            self.count += 1
            return function(*arguments)

        return counted


class _Named(pytest.Directory):
    """A folder of checks; pytest's own would ask its plugins about every file in it, in every grading."""

    def collect(self) -> Iterator[pytest.Collector]:
        """The files among pytest's arguments."""
        for path in sorted(self.path.iterdir()):
            if self.session.isinitpath(path):
                yield from self.ihook.pytest_collect_file(file_path=path, parent=self)


class Judge:
    """Registered with `pytest.main`; one per grading."""

    def __init__(self, grading: Grading) -> None:
        self.grading = grading

    @pytest.fixture
    def submission(self) -> Proxy:
        """The student's functions, in the guest."""
        return self.grading.proxy("submission")

    @pytest.fixture
    def elsewhere(self) -> Proxy:
        """The student's functions in another process of theirs, which knows nothing of `submission`'s calls."""
        return self.grading.proxy("elsewhere")

    @pytest.fixture
    def reference(self) -> Proxy:
        """The reference kernel's functions, in a guest of its own."""
        return self.grading.proxy("reference")

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> np.random.Generator:
        """Fresh randomness that staff can replay."""
        return self.grading.rng(request.node.nodeid.rpartition("/")[2])

    @pytest.fixture
    def calls(self) -> Calls:
        """Wraps a callback and counts its evaluations."""
        return Calls()

    @pytest.fixture
    def duel(self, request: pytest.FixtureRequest, rng: np.random.Generator) -> Callable[..., DuelOutcome]:
        """Timed rounds against the reference: `duel(function, make, verify, weigh=None)`."""

        def run(function: str, make: Make, verify: Verify, weigh: Weigh | None = None) -> DuelOutcome:
            return self._duel(request.node, function, make, verify, rng, weigh, "")

        return run

    @pytest.fixture
    def scaling(self, request: pytest.FixtureRequest, rng: np.random.Generator) -> Callable[..., DuelOutcome]:
        """Timed triplets: the reference at 1 and at p workers, the submission at p.

        `workers` names the argument that takes their number; for a distributed function that is its communicator.
        """

        def run(function: str, make: Make, verify: Verify, workers: str = "p") -> DuelOutcome:
            return self._duel(request.node, function, make, verify, rng, None, workers)

        return run

    def _duel(
        self,
        item: pytest.Item,
        function: str,
        make: Make,
        verify: Verify,
        rng: np.random.Generator,
        weigh: Weigh | None,
        workers: str,
    ) -> DuelOutcome:
        grading, criterion = self.grading, self.grading.criterion(_criterion_of(item))
        if not grading.correct_so_far:
            fail(Verdict.NOT_MEASURED, "a correctness check failed")
        declared = grading.job.assignment.function(function)
        if grading.work_left_running(criterion.workers if declared.comm else 0):
            fail(Verdict.WORK_LEFT_RUNNING, "the guest used the processor while nothing was asked of it")

        def progress(rounds: int, interval: tuple[float, float], speedup: float) -> None:
            grading.say(
                {"phase": "duel", "criterion": criterion.id, "rounds": rounds, "speedup": speedup, "interval": interval}
            )

        job = grading.job
        duel = Duel(
            grading, declared, criterion, job.rule, make, verify, rng, job.pairs,
            weigh=weigh, workers=workers, idle=IDLE if job.assignment.own_reference else "", progress=progress,
            most_s=SHARE * job.assignment.limits.grading_s,
        )  # fmt: skip
        with grading.room.exclusive(), grading.dueling():
            outcome = duel.run()
        grading.duels[criterion.id] = outcome
        return outcome

    @pytest.hookimpl
    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Directory:
        """Looks at the files that were named, and at nothing else in the folder."""
        return _Named.from_parent(parent, path=path)

    @pytest.hookimpl
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Correctness before speed; `--only` leaves the rest out; every test must name a declared criterion."""
        for item in items:
            self.grading.criterion(_criterion_of(item))
        job, found = self.grading.job, [(i, self.grading.criterion(_criterion_of(i))) for i in items]
        kept = [(i, c) for i, c in found if job.asks_for(c) and not (c.kind.timed and job.waits)]
        items[:] = [i for i, _ in sorted(kept, key=lambda pair: pair[1].kind.timed)]

    @pytest.hookimpl
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Tells whoever watches."""
        self.grading.current = _criterion_of(item)
        self.grading.say({"phase": "check", "criterion": self.grading.current})

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
        """Turns what pytest caught into a finding."""
        yield
        if call.when == "teardown" or (call.when == "setup" and call.excinfo is None):
            return
        finding = Finding(Verdict.PASSED) if call.excinfo is None else self._finding(call.excinfo.value)
        name = item.name.removeprefix("test_").replace("_", " ")
        self.grading.findings.setdefault(_criterion_of(item), []).append((name, finding))
        if self.grading.failure is not None and item.session is not None:
            item.session.shouldstop = "the grader failed"
        costs = finding.verdict.fault is Fault.STUDENT and self.grading.criterion(_criterion_of(item)).points > 0
        if self.grading.job.brief and costs:
            self.grading.ended_early, item.session.shouldstop = True, "a check failed"

    def _finding(self, error: BaseException) -> Finding:
        if isinstance(error, CheckFailure):
            return error.finding
        if isinstance(error, AssertionError):
            return Finding(Verdict.WRONG_ANSWER, str(error).split("\nassert ")[0][:2000])
        if isinstance(error, (SandboxError, CourseError)):
            self.grading.failure = error
        words = "".join(traceback.format_exception(error, limit=-6))[-3000:]
        return Finding(Verdict.GRADER_FAILED, words)


def _criterion_of(item: pytest.Item) -> str:
    markers = list(item.iter_markers("criterion"))
    if len(markers) != 1 or len(markers[0].args) != 1:
        raise CourseError(item.nodeid, 'a check carries exactly one @pytest.mark.criterion("id")')
    return str(markers[0].args[0])
