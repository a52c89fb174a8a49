"""Paired rounds against a reference, until the evidence suffices.

A round is the reference and the submission on the same fresh input, in random order, back to back, in separate
containers on the same cores, each frozen while the other runs. Every timed call's output is checked. Rounds rotate over
K independently started process pairs. Before a tier is lost for good, a known program plays further rounds: see `control`.
"""

from __future__ import annotations

import contextlib
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from autograder.domain.assignment import Criterion, Function, Role
from autograder.domain.execution import CallOutcome
from autograder.domain.measurement import Control, DuelOutcome, Round, TierOutcome
from autograder.domain.verdict import Finding, Verdict
from autograder.errors import SandboxError
from autograder.judge.compare import CheckFailure, fail
from autograder.judge.control import REACH, ROLE, account, controlled, disputable, halved
from autograder.judge.deal import nbytes
from autograder.judge.empties import EMPTY_CALLS, LONGEST_SPIN_S, Empties
from autograder.judge.proxy import Actor
from autograder.measure.noise import complaint
from autograder.measure.rotation import AT_ODDS, AT_ODDS_LEAST, MOST_PAIRS, Rotation
from autograder.measure.statistics import Rule, Tiers, interval, median

WARMUPS = 3
CANARY_SHARE = 0.8
CACHE_FACTOR = 4.0  # caches may be this much faster than the measured copy from memory
CURVE_ROUNDS = 5
CONTROL_SHARE = 0.75  # of a duel's time, for rounds beside a known program: they are warm, and as few
REST_S, LONGEST_REST_S = 0.05, 0.2  # after a disturbed round, and after several in a row

Make = Callable[[np.random.Generator], tuple[Any, ...]]
Verify = Callable[[tuple[Any, ...], Any, Any], None]
Weigh = Callable[[tuple[Any, ...], Any], float]
Progress = Callable[[int, tuple[float, float], float], None]


class Cast(Protocol):
    """Supplies the actors of a duel."""

    def actor(self, index: int, role: str, ranks: int) -> Actor:
        """A guest of one independently started pair, loaded: the reference of that role, or the submission if it is empty."""

    def retire(self, index: int, role: str) -> None:
        """That pair's reference serves in no further duel."""

    def unwrap(self, outcome: CallOutcome, function: Function) -> Any:
        """The value of a submission's call; a failed one ends the check."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One timed call of a round.

    Attributes:
        role: of the guest; empty for the submission.
    """

    name: str
    role: str
    workers: int

    @property
    def ours(self) -> bool:
        """Whether the program is not the student's."""
        return bool(self.role)


@dataclass(slots=True)
class Duel:
    """One duel, ready to run.

    Attributes:
        workers: name of the argument that takes the number of workers (scaling), or empty.
        most_s: seconds after which no further round begins; what is open then stays open. Rounds beside a known program have
            time of their own: who was slow to lose a tier must not have used up that in which the machine is asked.
        idle: role of a guest of ours that is asked what an empty call costs, where the reference is not ours; else empty.
        chance: order of the legs; not secret, but nothing the student can foresee.
    """

    cast: Cast
    function: Function
    criterion: Criterion
    rule: Rule
    make: Make
    verify: Verify
    rng: np.random.Generator
    pairs: int = 2
    max_pairs: int = MOST_PAIRS
    weigh: Weigh | None = None
    workers: str = ""
    idle: str = ""
    most_s: float = math.inf
    progress: Progress | None = None
    chance: random.Random = field(default_factory=random.SystemRandom)
    warmup_s: float = 0.0
    until: float = math.inf
    empties: dict[int, Empties] = field(default_factory=dict)
    floor_s: float = 0.0

    @property
    def legs(self) -> tuple[Leg, ...]:
        """Reference and submission; for scaling the reference at 1 and at p, and the submission at p."""
        p, against = self.criterion.workers, self.criterion.against
        if not self.workers:
            return (Leg("reference", against, p), Leg("submission", "", p))
        return (Leg("reference", against, 1), Leg("canary", against, p), Leg("submission", "", p))

    @property
    def controlled_legs(self) -> tuple[Leg, ...]:
        """Reference and submission, and beside them the known program."""
        p = self.criterion.workers
        return (self.legs[0], self.legs[-1], Leg("control", f"{ROLE}{self.criterion.control}", p))

    def run(self) -> DuelOutcome:
        """Rounds until every tier is decided, or n_max; then, where one was lost, those beside a known program."""
        self.until = time.monotonic() + self.most_s
        self._warm(range(self.pairs), self.legs)
        self._calibrate()
        most = min(self.max_pairs, self.pairs + self._actor(0, self.legs[0]).further(self.pairs))
        rule = halved(self.rule) if self.criterion.control else self.rule
        thresholds, edges = [t.threshold for t in self.criterion.tiers], self.criterion.edges
        rotation = Rotation(thresholds, rule, self.pairs, most, edges=edges)
        rounds = self._rounds(rotation, self.legs)
        self._retire(rounds)
        if not rotation.over:
            played = [r for r in rounds if not r.dropped]
            call_s = median([r.submission_s for r in played] or [0.0])
            if (
                call_s * self.rule.n_min > self.most_s / 2
            ):  # its own calls took the time, and no machine that stood still
                self._give_up([r.ratio for r in played], call_s)
        outcome = self._outcome(rotation.tiers, rounds)
        lost = disputable(rotation.tiers) if self.criterion.control and not outcome.inconclusive else ()
        if lost:
            outcome = controlled(outcome, self._control(lost, most))
        return replace(outcome, curve=self._curve()) if self.workers else outcome

    def _control(self, lost: tuple[float, ...], most: int) -> Control:
        """Fresh rounds for those tiers, which the known program must win."""
        self.until = time.monotonic() + CONTROL_SHARE * self.most_s
        self._warm(range(self.pairs), self.controlled_legs[-1:])  # the others have just played
        rotation = Rotation(lost, halved(self.rule), self.pairs, most, controlled=True)
        return account(rotation, self._rounds(rotation, self.controlled_legs))

    def _rounds(self, rotation: Rotation, legs: Sequence[Leg]) -> tuple[Round, ...]:
        rounds, ratios = list[Round](), rotation.tiers.ratios
        while not rotation.over and time.monotonic() < self.until:
            this = self._round(rotation.turn, legs)
            rounds.append(this)
            self._ask_again(len(rounds), (this.pair + 1) % rotation.pairs)
            more = rotation.add(this.pair, None if this.dropped else this.ratio, this.control)
            self._warm(range(rotation.pairs - more, rotation.pairs), legs)
            if self.progress is not None and ratios:
                self.progress(len(ratios), interval(ratios, self.rule.alpha_fail), median(ratios))
            if rotation.disturbed:  # all are frozen; what disturbs the machine may pass
                time.sleep(min(REST_S * 2 ** (rotation.disturbed - 1), LONGEST_REST_S))
        return tuple(rounds)

    def _retire(self, rounds: Sequence[Round]) -> None:
        """A reference that drew a slow layout would favour everybody whom it meets: it serves in no further duel."""
        times: dict[int, list[float]] = {}
        for r in rounds:
            if not r.dropped:
                times.setdefault(r.pair, []).append(r.reference_s)
        middles = {pair: median(seconds) for pair, seconds in times.items() if len(seconds) >= AT_ODDS_LEAST}
        for pair, middle in middles.items():
            if middle > (1 + AT_ODDS) * min(middles.values()):
                self.cast.retire(pair, self.criterion.against)

    def _give_up(self, ratios: Sequence[float], seconds: float) -> None:
        """Who cannot play the least number of rounds in the duel's time, and is out of reach of every tier, would be undecided for ever.

        Args:
            ratios: of a few calls, none of them the first of its process.
            seconds: that one call takes.

        Raises:
            CheckFailure: it is too slow.
        """
        least = min(t.threshold for t in self.criterion.tiers)
        if not self.criterion.edges and ratios and max(ratios) < REACH * least:
            words = f"A call takes {seconds:.3g} s, {max(ratios):.2g}× of the reference's speed at best; {least:g}× is the least that counts."
            raise CheckFailure(Finding(Verdict.TOO_SLOW, words, words))

    def _actor(self, index: int, leg: Leg) -> Actor:
        return self.cast.actor(index, leg.role, self._ranks(leg))

    def _ranks(self, leg: Leg) -> int:
        return leg.workers if self.function.comm else 0

    def _curve(self) -> tuple[tuple[int, float], ...]:
        """For the report only: T_ref(1)/T_sub(q) for powers of two below p, from a few rounds each."""
        points: list[tuple[int, float]] = []
        q = 1
        # what is decided by now, nothing in here takes back
        with contextlib.suppress(CheckFailure, SandboxError):
            while q < self.criterion.workers and time.monotonic() < self.until:
                ratios = []
                for _ in range(CURVE_ROUNDS):
                    legs = (self.legs[0], Leg("submission", "", q))
                    played = self._play(0, self.make(self.rng), self.chance.sample(legs, 2))
                    seconds = self._net(legs, played)
                    ratios.append(seconds["reference"] / seconds["submission"])
                points.append((q, median(ratios)))
                q *= 2
        return tuple(points)

    def _arguments(self, given: tuple[Any, ...], leg: Leg) -> dict[str, Any]:
        knob = self.workers or self.function.comm
        names = [a.name for a in self.function.arguments if a.name != knob]
        named = dict(zip(names, given, strict=False))
        return {**named, knob: leg.workers} if knob else named

    def _warm(self, pairs: range, legs: Sequence[Leg]) -> None:
        """Untimed, but a submission's are checked: whichever call is the timed one must be right."""
        for index in pairs:
            submission = self._actor(index, self.legs[-1])
            before = submission.window.spent_s
            _, *played = [self._play(index, self.make(self.rng), legs) for _ in range(WARMUPS)]  # the first may compile
            if index == 0 and legs == self.legs:
                self.warmup_s += submission.load_s + submission.window.spent_s - before
                call_s = min(p["submission"][0].elapsed_s for p in played)
                if call_s * (self.rule.n_min + WARMUPS * (self.pairs - 1)) > self.until - time.monotonic():
                    self._give_up([p["reference"][0].elapsed_s / p["submission"][0].elapsed_s for p in played], call_s)

    def _calibrate(self) -> None:
        """What a call costs that does nothing, for every number of workers; and the floor under any call."""
        given = self.make(self.rng)
        for leg in self.legs:
            if self._ranks(leg) not in self.empties:
                self.empties[self._ranks(leg)] = self._empties(replace(leg, role=self.criterion.against), given)
        reference = self._actor(0, self.legs[0])
        named = self._arguments(given, self.legs[0])
        outcome = reference.call(self.function, (), named)
        filled = {a.name for a in self.function.arguments if a.role is Role.OUT}  # they come back as outputs
        read = [value for name, value in named.items() if name not in filled]
        moved = nbytes(read) + nbytes(list(outcome.outputs))
        self.floor_s = moved / (CACHE_FACTOR * reference.bandwidth)

    def _empties(self, leg: Leg, given: tuple[Any, ...]) -> Empties:
        """As in rounds, guests come in turn, and where it matters a call of another one's in between: caches are as cold."""
        named = self._arguments(given, leg)
        whole_s = self._reference(0, leg, named)
        made = Empties(named, min(whole_s, LONGEST_SPIN_S))
        for n in range(EMPTY_CALLS + self.pairs):  # the first of each pair are forgotten
            if made.spin_s < LONGEST_SPIN_S:
                self._reference((n + 1) % self.pairs, leg, named)
            self._ask(made, n % self.pairs, self._ranks(leg))
        made.own_s = whole_s - median(made.recent)
        return made

    def _ask(self, empties: Empties, index: int, ranks: int) -> None:
        """Only a trusted guest: this one believes its clock."""
        actor = self.cast.actor(index, self.idle or self.criterion.against, ranks)
        outcome = actor.empty(self.function, (), empties.named, empties.spin_s)
        if outcome.verdict is not Verdict.PASSED:
            fail(Verdict.GRADER_FAILED, f"the empty call failed: {outcome.verdict}")
        empties.add(outcome.elapsed_s)

    def _ask_again(self, rounds: int, index: int) -> None:
        """After a round of another pair's."""
        for ranks, empties in self.empties.items():
            if empties.due(rounds):
                self._ask(empties, index, ranks)

    def _reference(self, index: int, leg: Leg, named: dict[str, Any]) -> float:
        """Seconds of one call."""
        outcome = self._actor(index, leg).call(self.function, (), named)
        self._must_pass(leg, outcome)
        return outcome.elapsed_s

    def _must_pass(self, leg: Leg, outcome: CallOutcome) -> None:
        """A call of what everybody is timed against, or of the known program."""
        if outcome.verdict is not Verdict.PASSED:
            what = "baseline" if self.idle else "control" if leg.name == "control" else "reference kernel"
            verdict = outcome.verdict if self.idle else Verdict.GRADER_FAILED
            fail(verdict, f"the {what} failed: {outcome.verdict} {outcome.note}")

    def _play(self, index: int, given: tuple[Any, ...], order: Sequence[Leg]) -> dict[str, tuple[CallOutcome, Any]]:
        """All legs on one input; the submission's output is checked against the reference's."""
        outcomes: dict[str, tuple[CallOutcome, Any]] = {}
        for leg in order:
            outcome = self._actor(index, leg).call(self.function, (), self._arguments(given, leg))
            if leg.ours:
                self._must_pass(leg, outcome)
            outcomes[leg.name] = (outcome, self.cast.unwrap(outcome, self.function))
        if "submission" in outcomes:
            self.verify(given, outcomes["submission"][1], outcomes["reference"][1])
        return outcomes

    def _round(self, index: int, legs: Sequence[Leg]) -> Round:
        given = self.make(self.rng)
        order = self.chance.sample(legs, len(legs))
        played = self._play(index, given, order)
        seconds = self._net(legs, played)
        raw = played["submission"][0].elapsed_s
        if raw < self.floor_s:
            fail(
                Verdict.GRADER_FAILED,
                f"a call took {raw:.2e} s, less than its data can be moved in ({self.floor_s:.2e} s)",
            )
        gains = {name: seconds["reference"] / seconds[name] for name in ("submission", "control") if name in played}
        if self.weigh is not None:
            unit = self.weigh(given, played["reference"][1])
            gains = {name: gain * unit / self.weigh(given, played[name][1]) for name, gain in gains.items()}
        ratio = gains["submission"]
        if not 0 < ratio < math.inf:
            fail(Verdict.WRONG_ANSWER, f"the round's cost is not a positive number (ratio {ratio})")
        outcomes = [o for o, _ in played.values()]
        watch = self._actor(index, self.legs[-1]).window.watch
        total = sum(o.elapsed_s for o in outcomes)
        dropped = next((o.disturbed for o in outcomes if o.disturbed), "") or complaint(
            sum(o.foreign_s for o in outcomes),
            sum(o.steal_s for o in outcomes),
            total * len(watch.cores),
            watch.read().grain_s,
        )
        reference = self.legs[0]
        if not dropped and played[reference.name][0].elapsed_s <= self._empty_s(reference):
            dropped = "the reference took no longer than an empty call"
        first = [leg.name for leg in order].index("submission") == 0
        extra = (seconds.get("canary", 0.0), gains.get("control", 0.0))
        return Round(seconds["reference"], seconds["submission"], ratio, index, first, dropped, *extra)

    def _net(self, legs: Sequence[Leg], played: dict[str, tuple[CallOutcome, Any]]) -> dict[str, float]:
        """Seconds of each leg less the empty call; never below a twentieth of it."""
        found = {}
        for leg in legs:
            empty_s = self._empty_s(leg)
            found[leg.name] = max(played[leg.name][0].elapsed_s - empty_s, empty_s / 20)
        return found

    def _empty_s(self, leg: Leg) -> float:
        """For the curve's numbers of ranks that of p is near enough."""
        return (self.empties.get(self._ranks(leg)) or self.empties[self._ranks(self.legs[-1])]).seconds

    def _outcome(self, tiers: Tiers, rounds: tuple[Round, ...]) -> DuelOutcome:
        counted = [r for r in rounds if not r.dropped]
        if not counted:
            why = (
                f"all {len(rounds)} rounds were disturbed: {rounds[-1].dropped}"
                if rounds
                else "no round fitted in its time"
            )
            fail(Verdict.INCONCLUSIVE, why)
        level = 1 - self.rule.alpha_fail
        canary = median([r.reference_s / r.extra_s for r in counted]) if self.workers else 0.0
        return DuelOutcome(
            function=self.function.name,
            speedup=median(tiers.ratios),
            interval=interval(tiers.ratios, self.rule.alpha_fail),
            level=level,
            rounds=rounds,
            tiers=tuple(
                TierOutcome(t.threshold, t.points, d, n)
                for t, d, n in zip(self.criterion.tiers, tiers.decisions, tiers.rounds, strict=True)
            ),
            reference_s=median([r.reference_s for r in counted]),
            submission_s=median([r.submission_s for r in counted]),
            floor_s=self.floor_s,
            empty_s=self._empty_s(self.legs[-1]),
            warmup_s=self.warmup_s,
            inconclusive=self._doubt(tiers, rounds, canary),
            canary=canary,
            workers=self.criterion.workers if self.workers else 1,
            against=self.criterion.opponent,
        )

    def _doubt(self, tiers: Tiers, rounds: tuple[Round, ...], canary: float) -> str:
        dropped = [r for r in rounds if r.dropped]
        if self.rule.noisy(len(dropped), len(rounds)):
            return f"{len(dropped)} of {len(rounds)} rounds were disturbed ({dropped[-1].dropped})"
        if self.workers and canary < CANARY_SHARE * self.criterion.calibrated:
            return f"the reference itself gained only {canary:.2f}× from {self.criterion.workers} workers (calibrated {self.criterion.calibrated:.2f}×)"
        at_the_edge = self.criterion.edges and len(rounds) >= self.rule.n_max  # of a claim: that is an answer
        if not tiers.settled and not at_the_edge:
            return f"no decision after {len(tiers.ratios)} rounds"
        return ""
