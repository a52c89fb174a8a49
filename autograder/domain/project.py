"""A final project as data: who, what, and the speedups that its team claims; and what was measured of each claim."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from autograder.domain.assignment import Function, Kind, Resources
from autograder.domain.measurement import DuelOutcome

TOLERANCE = 0.15  # of a claim: a measured interval within it agrees
CLAIM = "claim"  # of a criterion's evidence: what was measured of a claim, as JSON


@dataclass(frozen=True, slots=True)
class Member:
    """One of a team.

    Attributes:
        consent: whether a public page may carry the name.
    """

    name: str
    consent: bool = False


@dataclass(frozen=True, slots=True)
class Draw:
    """How the judge makes one argument, afresh for every call.

    Attributes:
        shape: of an array; empty for a scalar.
        how: `constant`, `uniform`, `normal` or `integers`.
        low, high: of uniform numbers, and of integers (`high` excluded); mean and standard deviation of normal ones; a
            constant is `low`.
    """

    how: str
    low: float
    high: float = 0.0
    shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A speedup that a team says it reached: `program` over `baseline`, on the same inputs and cores.

    Attributes:
        speedup: dimensionless, above 0.
        rtol: by which the two programs' results may differ; 0 asks for the same numbers.
        inputs: by argument.
    """

    id: str
    title: str
    function: str
    baseline: str
    program: str
    speedup: float
    rtol: float
    kind: Kind
    resources: Resources
    inputs: dict[str, Draw]


@dataclass(frozen=True, slots=True)
class Project:
    """What a team hands in, without its files.

    Attributes:
        slug: of the file or folder that was handed in; names the project's page.
        links: paper, code, slides, video → an address, or the name of a PDF among the files.
        sha256: of what was handed in; results of another version do not count.
    """

    slug: str
    title: str
    abstract: str
    team: tuple[Member, ...]
    links: dict[str, str]
    functions: tuple[Function, ...]
    claims: tuple[Claim, ...]
    sha256: str

    @property
    def named(self) -> tuple[str, ...]:
        """Who may be named in public."""
        return tuple(m.name for m in self.team if m.consent)


class Standing(StrEnum):
    """What became of a claim."""

    VERIFIED = "verified"
    SLOWER = "slower"  # than claimed, beyond the tolerance
    FASTER = "faster"
    UNDECIDED = "undecided"
    FAILED = "failed"  # a program did not run, or the two did not agree
    WAITING = "waiting"  # for a GPU
    OURS = "ours"  # the grader failed


@dataclass(frozen=True, slots=True)
class Measured:
    """A claim and what was measured of it.

    Attributes:
        interval: anytime-valid bounds of the speedup at 99.5 %.
        ratios: of the rounds that count, in their order.
        words: why there is no number, for the team.
    """

    claim: str
    claimed: float
    standing: Standing
    speedup: float = math.nan
    interval: tuple[float, float] = (0.0, math.inf)
    ratios: tuple[float, ...] = ()
    baseline_s: float = math.nan
    program_s: float = math.nan
    words: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a table of JSON, which knows neither infinity nor NaN: those are null."""
        found = asdict(self)
        found["interval"] = [_finite(x) for x in self.interval]
        return found | {key: _finite(found[key]) for key in ("speedup", "baseline_s", "program_s")}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """What `to_json` made.

        Raises:
            KeyError, TypeError, ValueError: somebody else made it.
        """
        low, high = found["interval"]
        numbers = {k: math.nan if found[k] is None else float(found[k]) for k in ("speedup", "baseline_s", "program_s")}
        return cls(
            str(found["claim"]), float(found["claimed"]), Standing(found["standing"]),
            interval=(0.0 if low is None else float(low), math.inf if high is None else float(high)),
            ratios=tuple(float(r) for r in found["ratios"]), words=str(found["words"]), **numbers,
        )  # fmt: skip


def _finite(x: float) -> float | None:
    return x if math.isfinite(x) else None


def standing(claimed: float, interval: tuple[float, float]) -> Standing:
    """Where a measured interval lies: within the tolerance of a claim, beyond it, or across its edge.

    Args:
        claimed: speedup, dimensionless.
        interval: bounds of the measured one.
    """
    low, high = (1 - TOLERANCE) * claimed, (1 + TOLERANCE) * claimed
    if low <= interval[0] and interval[1] <= high:
        return Standing.VERIFIED
    if interval[1] < low:
        return Standing.SLOWER
    return Standing.FASTER if interval[0] > high else Standing.UNDECIDED


def of_duel(claim: Claim, duel: DuelOutcome) -> Measured:
    """What a duel of the two programs says of the claim."""
    found = Standing.UNDECIDED if duel.inconclusive else standing(claim.speedup, duel.interval)
    words = ""
    if found is Standing.UNDECIDED:
        words = duel.inconclusive or f"the measured speedup lies at the edge of ±{TOLERANCE:.0%}"
    return Measured(
        claim.id, claim.speedup, found, duel.speedup, duel.interval, tuple(r.ratio for r in duel.counted),
        duel.reference_s, duel.submission_s, words,
    )  # fmt: skip
