"""One grading: its guests, its entropy, its findings. The pytest plugin and the duel ask it for everything."""

from __future__ import annotations

import hashlib
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autograder.domain.assignment import Assignment, Criterion, Function
from autograder.domain.device import HOST
from autograder.domain.execution import CallOutcome, Program
from autograder.domain.measurement import DuelOutcome
from autograder.domain.submission import ADAPTER, ENTRY, Submission
from autograder.domain.verdict import Finding, Verdict
from autograder.errors import CourseError, SandboxError
from autograder.judge.buffers import bind
from autograder.judge.compare import CheckFailure
from autograder.judge.control import ROLE
from autograder.judge.deal import ranks_of
from autograder.judge.device import Device, device_of, keep_memory
from autograder.judge.proxy import Actor, Proxy, unwrap
from autograder.measure.room import Room
from autograder.measure.statistics import Rule
from autograder.sandbox.base import Guest, Sandbox
from autograder.sandbox.profile import Profile

ALARM = 3  # times the grading's limit for one check: a duel may take 1.6, guests have limits of their own, this is for what hangs
RESTARTS = 4  # of the submission's guests, for each criterion: what one has ended must not fail the next
WAITS, GOES_ON = "waits", "goes on"  # others have the room: the node keeps its patience meanwhile, a terminal says so
IDLE = "idle"  # the role of a guest that is ours and holds no program: where the reference is not, what an empty call costs
OWN_FOLDER, THEIRS = "baseline", "the baseline: "


@dataclass(frozen=True, slots=True)
class Job:
    """What a judge is asked to do.

    Attributes:
        entropy: hex; the root of every random input, recorded so that staff can replay them.
        only: run this criterion alone, or empty.
        public_only: a student's own check: public tests, no reference.
        brief: end at the first failed check that is worth points; what was not reached is not measured, or passed in part.
        trial: public criteria and the duels, for who tries before submitting; never a grade.
        pairs: independently started process pairs per duel.
        attempt: 1, or 2 after a failure of ours.
    """

    assignment: Assignment
    submission: Submission
    profile: Profile
    references: Path
    state: Path
    entropy: str
    only: str = ""
    public_only: bool = False
    pairs: int = 2
    rule: Rule = field(default_factory=Rule)
    label: str = ""
    attempt: int = 1
    trial: bool = False
    brief: bool = False

    @property
    def waits(self) -> bool:
        """Whether what is timed has to wait for a machine with a GPU; correctness is tried under simulators meanwhile."""
        return self.profile.device == HOST

    @property
    def profiles(self) -> list[Profile]:
        """Of the guests that it needs for certain: one, or for a distributed assignment one per world."""
        return [replace(self.profile, ranks=ranks) for ranks in self.assignment.worlds]

    def asks_for(self, criterion: Criterion) -> bool:
        """Whether this criterion is to be judged."""
        if self.trial and not (criterion.public or criterion.kind.timed):
            return False
        return (not self.only or criterion.id == self.only) and (criterion.public or not self.public_only)


@dataclass(slots=True)
class Hand:
    """A guest that was started ahead of need; a reference's may have its kernel loaded already."""

    guest: Guest
    loaded: bool = False
    broken: bool = False


class Grading:
    """Holds the actors of one job, and what was found.

    Attributes:
        current: the criterion that is being checked.
        ended_early: whether a check that is worth points has failed in a brief grading, which ends there.
        duelled_s: of the submission's thawed time, what was spent in duels, which have a limit of their own.
    """

    def __init__(
        self,
        job: Job,
        sandbox: Callable[[], Sandbox],
        hands: list[Hand],
        references: list[Hand],
        say: Callable[[dict[str, Any]], None],
    ) -> None:
        self.job = job
        self.say = say
        self.room = Room(job.state, self._waiting)
        self._sandbox = sandbox
        self._hands = hands
        self._reference_hands = references
        self._submissions: dict[tuple[int, int], Actor] = {}
        self._loads: dict[tuple[int, int], Finding | None] = {}
        self._references: dict[tuple[int, str, int], Actor] = {}
        self._all: list[Actor] = []
        self._mine: list[Actor] = []
        self._retired: list[Guest] = []
        self._submitted: list[Actor] = []
        self._restarts: Counter[str] = Counter()
        self.current, self.ended_early, self.duelled_s = "", False, 0.0
        self._device: Device | None = None
        self.findings: dict[str, list[tuple[str, Finding]]] = {}
        self.duels: dict[str, DuelOutcome] = {}
        self.load_finding: Finding | None = None
        self.failure: SandboxError | CourseError | None = None
        self.begun = time.perf_counter()

    # entropy

    def rng(self, label: str) -> np.random.Generator:
        """A generator of its own for every use; all follow from the recorded root."""
        words = hashlib.sha256(f"{self.job.entropy}/{label}".encode()).digest()
        return np.random.default_rng(list(words))

    # guests

    def _guest(self, what: str, ranks: int) -> Guest:
        """A guest started ahead of need, or a new one."""
        ahead = next((h for h in self._hands if h.guest.profile.ranks == ranks), None)
        if what == "submission" and ahead is not None:
            self._hands.remove(ahead)
            return ahead.guest
        profile = replace(self.job.profile, ranks=ranks)
        with self.room.shared():
            return self._sandbox().start(profile, f"{self.job.label}/{what}/{self.job.attempt}")

    def _actor(self, guest: Guest) -> Actor:
        if self.job.profile.device in ("", HOST):
            made = Actor(guest, self.job.assignment, self.room)
        else:
            if self._device is None:
                keep_memory()
                self._device = device_of(self.job.profile.device)
                self._device.scrub()
            made = Actor(guest, self.job.assignment, self.room, self._device, self._ours)
        made.window.patient = self.job.attempt == 1
        return made

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Others measure: that is nobody's time here, neither for pytest's alarm nor for the node."""
        left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        self.say({"phase": WAITS})
        try:
            yield
        finally:
            self.say({"phase": GOES_ON})
            if left:
                signal.setitimer(signal.ITIMER_REAL, left)

    def _ours(self, pid: int) -> bool:
        """Whether any guest of this grading started that process."""
        guests = [a.guest for a in (*self._all, *self._mine)] + [
            h.guest for h in (*self._hands, *self._reference_hands)
        ]
        return any(g.holds(pid) for g in guests)

    def submission(self, pair: int = 0, ranks: int = 0) -> Actor:
        """The student's code in the guest of that pair; a guest that died is replaced a few times.

        Args:
            ranks: of a distributed assignment's world; 0 is the first that is started ahead.
        """
        ranks = ranks or self.job.assignment.worlds[0]
        actor = self._submissions.get((pair, ranks))
        if actor is None or (actor.window.broken is not None and self._restarts[self.current] < RESTARTS):
            if actor is not None:
                self._restarts[self.current] += 1
            actor = self._actor(self._guest("submission", ranks))
            self._all.append(actor)
            self._submitted.append(actor)
            self._submissions[pair, ranks] = actor
            given = self.job.submission
            finding = actor.load(Program(self._adapted(given.files), "submission", given.lines))
            self._loads[pair, ranks] = finding
            if ranks == self.job.assignment.worlds[0]:
                self.load_finding = finding
        return actor

    def _loaded(self, pair: int, ranks: int) -> Actor:
        """The submission, or a finding where that guest could not load it."""
        actor = self.submission(pair, ranks)
        finding = self._loads[pair, ranks or self.job.assignment.worlds[0]]
        if finding is not None:
            raise CheckFailure(finding)
        return actor

    def reference(self, pair: int, role: str, ranks: int = 0) -> Actor:
        """The kernel or the baseline, in a guest of its own."""
        ranks = ranks or self.job.assignment.worlds[0]
        key = (pair, role, ranks)
        actor = self._references.get(key)
        if actor is None:
            warm = [h for h in self._reference_hands if h.guest.profile.ranks == ranks]
            hand = warm[pair] if role == "kernel" and pair < len(warm) else None
            if hand is not None and hand.broken:
                hand = None
            guest = hand.guest if hand is not None else self._guest("reference", ranks)
            actor = self._actor(guest)
            (self._all if hand is None else self._mine).append(actor)
            self._references[key] = actor
            if hand is None or not hand.loaded:
                self._load_reference(actor, role)
            if hand is not None:
                hand.loaded = True
        return actor

    def _load_reference(self, actor: Actor, role: str) -> None:
        assignment = self.job.assignment
        if role == IDLE:
            actor.load(Program({ENTRY: b""}, role))
            return
        if role.startswith(ROLE):
            self._load(actor, "control", assignment.control(role.removeprefix(ROLE)))
            return
        if assignment.own_reference:
            root = assignment.folder / OWN_FOLDER
            own = {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}
            finding = actor.load(Program(own, "baseline"))
            if finding is not None:
                raise CheckFailure(replace(finding, detail=f"{THEIRS}{finding.detail}"))
            return
        module = assignment.kernel if role == "kernel" else assignment.baseline
        self._load(actor, role, self.job.references / f"{module}.py")

    def _load(self, actor: Actor, what: str, path: Path) -> None:
        """A program of the course's own."""
        assignment = self.job.assignment
        if not path.is_file():
            raise CourseError(f"{assignment.slug}: {what}", f"{path} does not exist")
        files = {ENTRY: path.read_bytes()}
        if what == "control":
            files = self._adapted(files)
        finding = actor.load(Program(files, what))
        if finding is not None:
            raise CourseError(str(path), f"the {what} does not load: {finding.verdict} {finding.detail}")

    def _adapted(self, files: dict[str, bytes]) -> dict[str, bytes]:
        """A program as students write it, with what the course puts beside it."""
        adapter = self.job.assignment.folder / ADAPTER
        return {**files, ADAPTER: adapter.read_bytes()} if adapter.is_file() else files

    # calls

    def call_submission(
        self, function: Function, given: tuple[Any, ...], named: dict[str, Any], pair: int = 0
    ) -> CallOutcome:
        """For the fixtures `submission` and (pair 1) `elsewhere`."""
        limits = self.job.assignment.limits
        late = CheckFailure(Finding(Verdict.TIMED_OUT, f"the whole grading may take {limits.grading_s:.0f} s"))
        if self._left_s <= 0:
            raise late
        actor = self._loaded(pair, ranks_of(function, bind(function, given, named)))
        if (left_s := self._left_s) <= 0:
            raise late
        outcome = actor.call(function, given, named, left_s)
        if outcome.verdict is Verdict.TIMED_OUT and left_s < limits.call_s:
            raise late
        return outcome

    @property
    def _left_s(self) -> float:
        """Of the grading's limit, for the submission's calls outside duels."""
        return self.job.assignment.limits.grading_s - self.student_s() + self.duelled_s

    def call_reference(self, function: Function, given: tuple[Any, ...], named: dict[str, Any]) -> CallOutcome:
        """For the fixture `reference`."""
        ranks = ranks_of(function, bind(function, given, named))
        actor = self.reference(0, "kernel", ranks)
        outcome = actor.call(function, given, named)
        if self.job.assignment.own_reference and outcome.verdict is not Verdict.PASSED:
            raise CheckFailure(Finding(outcome.verdict, f"{THEIRS}{outcome.note}"))
        ours = outcome.verdict is Verdict.GRADER_FAILED  # it was interrupted
        if actor.window.broken is not None and (self.job.attempt == 1 or ours):  # or somebody may have ended it
            raise SandboxError(f"the reference's guest ended: {outcome.verdict} {outcome.note}")
        if outcome.verdict is not Verdict.PASSED:
            raise CourseError(function.name, f"the reference kernel failed: {outcome.verdict} {outcome.note}")
        return outcome

    def proxy(self, who: str) -> Proxy:
        """A fixture's value, by its name."""
        calls: dict[str, Callable[..., CallOutcome]] = {
            "submission": self.call_submission, "elsewhere": partial(self.call_submission, pair=1),
            "reference": self.call_reference,
        }  # fmt: skip
        return Proxy(calls[who], self.job.assignment, {} if who == "reference" else self.job.submission.lines)

    def actor(self, index: int, role: str, ranks: int) -> Actor:
        """For the duel: the kernel, the baseline, one that does nothing, or (an empty role) the submission of that pair."""
        if role:
            return self.reference(index, role, ranks)
        return self._loaded(index, ranks)

    def retire(self, index: int, role: str) -> None:
        """For the duel: the warm guests of that pair's reference end with this grading."""
        for (pair, known, _), actor in self._references.items():
            if (pair, known) == (index, role):
                self._retired.append(actor.guest)

    def unwrap(self, outcome: CallOutcome, function: Function) -> Any:
        """For the duel."""
        return unwrap(outcome, function, self.job.submission.lines)

    def work_left_running(self, ranks: int) -> bool:
        """Whether the submission's guest burns CPU although nothing was asked of it."""
        return self.submission(ranks=ranks).window.restless()

    # findings

    def criterion(self, name: str) -> Criterion:
        """By id.

        Raises:
            CourseError: a check names a criterion that is not declared.
        """
        for criterion in self.job.assignment.criteria:
            if criterion.id == name:
                return criterion
        raise CourseError(
            f"{self.job.assignment.slug}: criterion {name!r}", "a check names it, assignment.toml does not"
        )

    @property
    def correct_so_far(self) -> bool:
        """Whether no correctness check has failed."""
        timed = {c.id for c in self.job.assignment.criteria if c.kind.timed}
        return not any(
            f.verdict is not Verdict.PASSED for c, found in self.findings.items() if c not in timed for _, f in found
        )

    # the end

    def guest_s(self) -> float:
        """Thawed seconds of all guests."""
        return sum(a.window.spent_s for a in (*self._all, *self._mine))

    @contextmanager
    def dueling(self) -> Iterator[None]:
        """What the submission spends in it is not taken from its checks."""
        before = self.student_s()
        try:
            yield
        finally:
            self.duelled_s += self.student_s() - before

    @property
    def isolated(self) -> bool:
        """Whether every guest was in a container."""
        return all(a.guest.isolated for a in (*self._all, *self._mine))

    def student_s(self) -> float:
        """Those of the submission's."""
        return sum(a.window.spent_s for a in self._submitted)

    def close(self) -> None:
        """Ends every guest that is not a warm reference, and says which of those are fit for the next."""
        for actor in self._mine:
            for hand in self._reference_hands:
                if hand.guest is actor.guest:
                    hand.broken = actor.window.broken is not None or actor.guest in self._retired
            actor.release()
        for actor in self._all:
            actor.release()
        for guest in (*(a.guest for a in self._all), *(h.guest for h in self._hands)):
            with suppress(SandboxError):  # an engine that is away takes no verdict back; the node removes what is left
                guest.kill()
            if not guest.isolated:
                guest.remove()  # a container is removed by the node, later
        if self._device is not None:
            self._device.close()
        self.room.close()
