"""The cast of a duel with simulated times: everything but the guests is the real duel."""

from __future__ import annotations

import math
import random
from types import SimpleNamespace

from autograder.domain.assignment import Argument, Function, ValueType
from autograder.domain.execution import CallOutcome
from autograder.domain.verdict import Verdict
from autograder.judge.compare import fail
from autograder.measure.noise import Reading

FUNCTION = Function("f", (Argument("n", ValueType("int")),), (ValueType("float"),))
EMPTY_S = 1e-4
KNOWN = "control/known.py"


class Guest:
    """Takes the time it is told to, with two per cent of noise."""

    bandwidth = 1e10
    room = 3
    says_empty_s = EMPTY_S
    fails_with = ()
    more = iter(())

    def __init__(self, seconds: float, chance: random.Random) -> None:
        self.seconds, self.chance, self.load_s = seconds, chance, 0.0
        watch = SimpleNamespace(cores=(0,), read=lambda: Reading(0.0, 0.0, 1e-4))
        self.window = SimpleNamespace(spent_s=0.0, watch=watch, broken=None)

    def further(self, pairs):
        """On a device of that size."""
        return self.room

    def call(self, function, given, named, most_s=math.inf):
        """One call."""
        elapsed = self.seconds * self.chance.lognormvariate(0, 0.02) + EMPTY_S
        self.window.spent_s += min(elapsed, most_s)
        if elapsed > most_s or named.get("n") in self.fails_with:
            return CallOutcome(Verdict.TIMED_OUT, elapsed_s=most_s)
        return CallOutcome(Verdict.PASSED, (1.0,), elapsed)

    def empty(self, function, given, named, spin_s):
        """Nothing."""
        return CallOutcome(Verdict.PASSED, (1.0,), self.says_empty_s)


class Theatre:
    """Guests by pair; some of them slow."""

    def __init__(self, chance, submissions=(1.0,), references=(1.0,), controls=()) -> None:
        self.made: dict[tuple[int, str], Guest] = {}
        self.slow = {"": submissions, "kernel": references, KNOWN: controls}
        self.chance, self.retired = chance, []

    def actor(self, index, role, ranks):
        """One guest, always the same."""
        factors = self.slow.get(role, ())
        factor = factors[index] if index < len(factors) else 1.0
        return self.made.setdefault((index, role), Guest(0.04 * factor, self.chance))

    def retire(self, index, role):
        """Kept for the test."""
        self.retired.append((index, role))

    def unwrap(self, outcome, function):
        """The value, or a finding."""
        if outcome.verdict is not Verdict.PASSED:
            fail(outcome.verdict, "")
        return outcome.outputs[0]
