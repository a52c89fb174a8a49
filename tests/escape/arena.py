"""Where attacks are fought: the real judge, a real guest whose sandbox may be weakened, and graders as weak as published ones.

Every attack is shown twice: it fails against the real thing, and it succeeds where the rule that stops it is left out.
An attack that succeeds nowhere tests nothing.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.api import Assignment, Grade, Node, Submission
from autograder.domain.execution import CallOutcome, Program
from autograder.domain.submission import digest
from autograder.judge.proxy import Actor
from autograder.measure.room import Room
from autograder.sandbox.container import ContainerSandbox
from autograder.sandbox.profile import Profile
from autograder.sandbox.state import state_folder

from .weak import WeakGrader

# The other functions of the test assignment, right, so that only the attack decides.
HONEST_REST = """
import numpy as np

def fill(out, value):
    out[...] = value + np.arange(out.size).reshape(out.shape)

def midpoint(f, a, b, n):
    h = (b - a) / n
    return sum(f(a + (i + 0.5) * h) for i in range(n)) * h
"""

HONEST = (
    HONEST_REST
    + """
def work(x, steps):
    y = x.copy()
    for _ in range(steps):
        y = np.sqrt(y * y + 1.0)
    return y
"""
)

# Correct, and fifteen times slower than the reference: what an attack on the clock wants to pass off as fast. Far enough from
# the lowest tier (0.2) that no control is asked for.
SLOW = (
    HONEST_REST
    + """
def work(x, steps):
    for _ in range(15):
        y = x.copy()
        for _ in range(steps):
            y = np.sqrt(y * y + 1.0)
    return y
"""
)


def submission(source: str, name: str = "attack", **files: str) -> Submission:
    """A submission of `solution.py`, and other files by keyword (double underscores stand for dots)."""
    content = {"solution.py": textwrap.dedent(source).encode()}
    content |= {k.replace("__", "."): textwrap.dedent(v).encode() for k, v in files.items()}
    return Submission(name, content, digest(content))


def failed(grade: Grade) -> bool:
    """Whether the grader broke, where a machine that is merely too noisy is inconclusive."""
    return any(c.verdict == "grader-failed" for c in grade.criteria)


@dataclass
class Arena:
    """Built by the fixture `arena`."""

    node: Node
    assignment: Assignment
    engine: ContainerSandbox
    image: str

    def grade(self, source: str, seed: str = "", **files: str) -> Grade:
        """The real judge's verdict; a noisy machine is asked again, a failing grader is not: an attack may be at that."""
        made = submission(source, **files)
        for _ in range(4):
            grade = self.node.grade(self.assignment, made, seed=seed)
            if not grade.ours or failed(grade):
                return grade
        return grade

    def fails(self, source: str, *verdicts: str, seed: str = "", **files: str) -> Grade:
        """The attack earns nothing for speed, by one of these verdicts on some criterion, and an honest submission right
        behind it is still graded as it should be (correctness: timing is another test's matter)."""
        grade = self.grade(source, seed, **files)
        assert not grade.ours, [(c.id, c.verdict, c.evidence) for c in grade.criteria]
        found = {str(c.verdict) for c in grade.criteria}
        timed = {c.id for c in self.assignment.criteria if c.kind.timed}
        assert not sum(c.points for c in grade.criteria if c.id in timed), found
        assert found & set(verdicts), (found, [c.evidence for c in grade.criteria])
        after = self.node.grade(self.assignment, submission(HONEST, "honest"), only="formula")
        assert after.criteria[0].verdict == "passed"
        return grade

    def probe(self, source: str, *weakened: str, call_s: float = 0.0, **limits: int) -> CallOutcome:
        """Calls `work` once in a guest of the real profile, or of one with rules left out.

        By convention a probe returns an array whose first element is 1 where the forbidden thing succeeded, else 0.
        """
        values: dict[str, Any] = {"memory_mb": 256, "processes": 32, "scratch_mb": 16, **limits}
        cores = self.node.slots(self.assignment)[-1]
        profile = Profile(self.image, cores, preload=("numpy",), weakened=frozenset(weakened), **values)
        room = Room(state_folder())
        guest = self.engine.start(profile, "probe")
        actor = Actor(guest, self.assignment, room)
        try:
            finding = actor.load(Program(submission(source).files))
            assert finding is None, finding
            return actor.call(self.assignment.function("work"), (np.zeros(4), 1))
        finally:
            actor.close()
            guest.remove()
            room.close()

    def held(self, source: str) -> None:
        """The sandbox holds: the probe's forbidden thing did not succeed."""
        outcome = self.probe(source)
        succeeded = outcome.verdict == "passed" and outcome.outputs[0][0] == 1.0
        assert not succeeded and outcome.verdict != "grader-failed", outcome

    def escapes(self, source: str, *weakened: str) -> None:
        """Without those rules it does succeed."""
        outcome = self.probe(source, *weakened)
        assert outcome.verdict == "passed", outcome
        assert outcome.outputs[0][0] == 1.0, outcome

    def fools(self, source: str, weakness: str, **files: str) -> None:
        """A grader with that weakness gives the attack full marks, and gives the slow honest program none.

        A weak grader's clock is as noisy as the machine, so an attack that is only sometimes worth its while bites
        where it is accepted once in three."""
        grader = WeakGrader(self.engine, self.image, weakness)
        bites = any(grader.accepts(textwrap.dedent(source), **files) for _ in range(3))
        assert bites, f"{weakness}: the attack does not bite: {grader.said or 'no verdict, or not in time'}"
        assert not grader.accepts(SLOW if grader.times else HONEST_REST + "\ndef work(x, steps): return x * 0.5\n"), (
            f"{weakness}: accepts anything"
        )
