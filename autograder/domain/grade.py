"""The verdict on one submission."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from autograder.domain.measurement import Control, Decision, DuelOutcome, Round, TierOutcome
from autograder.domain.verdict import Fault, Verdict


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """One criterion: points, verdict, the student's sentence, and evidence that a TA can replay."""

    id: str
    title: str
    points: float
    max_points: float
    verdict: Verdict
    sentence: str
    public: bool
    evidence: dict[str, Any] = field(default_factory=dict)
    duel: DuelOutcome | None = None


@dataclass(frozen=True, slots=True)
class Grade:
    """What `grade --json` prints."""

    assignment: str
    submission_name: str
    submission_sha256: str
    criteria: tuple[CriterionResult, ...]
    machine: dict[str, Any]
    engine: dict[str, Any]
    wall_s: float
    overhead_s: float

    @property
    def score(self) -> float:
        """Points earned."""
        return sum(c.points for c in self.criteria)

    @property
    def max_score(self) -> float:
        """Automatic points that could be earned."""
        return sum(c.max_points for c in self.criteria)

    @property
    def ours(self) -> bool:
        """Whether any criterion is undecided for reasons that are our fault, so that another try here may help."""
        return any(
            c.verdict.fault is Fault.OURS and c.verdict is not Verdict.WAITING_FOR_HARDWARE for c in self.criteria
        )

    @property
    def waiting(self) -> bool:
        """Whether any criterion waits for hardware that this machine does not have."""
        return any(c.verdict is Verdict.WAITING_FOR_HARDWARE for c in self.criteria)

    def to_json(self) -> dict[str, Any]:
        """The contract's object, for staff: evidence holds seeds and details."""
        criteria = [
            {
                "id": c.id,
                "title": c.title,
                "points": c.points,
                "max_points": c.max_points,
                "verdict": str(c.verdict),
                "sentence": c.sentence,
                "public": c.public,
                "evidence": {**c.evidence, **(_duel_json(c.duel) if c.duel else {})},
            }
            for c in self.criteria
        ]
        return {
            "assignment": self.assignment,
            "submission": self.submission_name,
            "submission_sha256": self.submission_sha256,
            "score": self.score,
            "max_score": self.max_score,
            "criteria": criteria,
            "machine": self.machine,
            "engine": self.engine,
            "wall_s": round(self.wall_s, 4),
            "overhead_s": round(self.overhead_s, 4),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Grade:
        """The value that `to_json` described.

        Raises:
            KeyError: not such an object.
        """
        criteria = tuple(
            CriterionResult(
                c["id"], c["title"], c["points"], c["max_points"], Verdict(c["verdict"]), c["sentence"], c["public"],
                {k: v for k, v in c["evidence"].items() if k not in _DUEL_KEYS}, _duel_from(c["evidence"]),
            )
            for c in data["criteria"]
        )  # fmt: skip
        return cls(
            data["assignment"], data["submission"], data["submission_sha256"], criteria, data["machine"],
            data["engine"], data["wall_s"], data["overhead_s"],
        )  # fmt: skip

    def for_student(self) -> Grade:
        """The same grade without seeds and details of hidden checks; what a student may see."""
        return replace(
            self,
            criteria=tuple(c if c.public else replace(c, evidence={}) for c in self.criteria),
            engine={k: v for k, v in self.engine.items() if k != "entropy"},
        )


def _duel_json(duel: DuelOutcome) -> dict[str, Any]:
    return {
        "function": duel.function,
        "speedup": duel.speedup,
        "interval": [
            duel.interval[0],
            None if math.isinf(duel.interval[1]) else duel.interval[1],
        ],  # JSON has no infinity
        "level": duel.level,
        "rounds": len(duel.counted),
        "dropped_rounds": len(duel.rounds) - len(duel.counted),
        "tiers": [
            {"threshold": t.threshold, "points": t.points, "decision": str(t.decision), "rounds": t.rounds}
            for t in duel.tiers
        ],
        "reference_s": duel.reference_s,
        "submission_s": duel.submission_s,
        "floor_s": duel.floor_s,
        "empty_s": duel.empty_s,
        "warmup_s": duel.warmup_s,
        "inconclusive": duel.inconclusive,
        "canary": duel.canary,
        "workers": duel.workers,
        "curve": [list(point) for point in duel.curve],
        "control": _control_json(duel.control),
        "against": duel.against,
        "trace": [asdict(r) for r in duel.rounds],
    }


def _control_json(control: Control | None) -> dict[str, Any] | None:
    if control is None:
        return None
    return {
        "thresholds": list(control.thresholds),
        "decisions": [str(d) for d in control.decisions],
        "speedup": control.speedup,
        "submission": control.submission,
        "rounds": len(control.counted),
        "doubt": control.doubt,
        "after": list(control.after),
        "trace": [asdict(r) for r in control.rounds],
    }


def _control_from(data: dict[str, Any] | None) -> Control | None:
    if data is None:
        return None
    trace = tuple(Round(**r) for r in data["trace"])
    decisions = tuple(Decision(d) for d in data["decisions"])
    return Control(
        tuple(data["thresholds"]), decisions, data["speedup"], data["submission"], trace, data["doubt"],
        tuple(data.get("after", ())),
    )  # fmt: skip


_PLAIN = ("reference_s", "submission_s", "floor_s", "empty_s", "warmup_s", "inconclusive", "canary", "workers")
_LATER = ("against",)  # not in older grades
_DUEL_KEYS = {
    "function",
    "speedup",
    "interval",
    "level",
    "rounds",
    "dropped_rounds",
    "tiers",
    "curve",
    "control",
    "trace",
    *_PLAIN,
    *_LATER,
}


def _duel_from(data: dict[str, Any]) -> DuelOutcome | None:
    if "trace" not in data:
        return None
    low, high = data["interval"]
    return DuelOutcome(
        function=data["function"],
        speedup=data["speedup"],
        interval=(low or 0.0, math.inf if high is None else high),
        level=data["level"],
        rounds=tuple(Round(**r) for r in data["trace"]),
        tiers=tuple(
            TierOutcome(t["threshold"], t["points"], Decision(t["decision"]), t["rounds"]) for t in data["tiers"]
        ),
        curve=tuple((int(p), float(s)) for p, s in data["curve"]),
        control=_control_from(data.get("control")),
        **{k: data[k] for k in _PLAIN},
        **{k: data[k] for k in _LATER if k in data},
    )
