"""A project that was handed in → a `Grade`: a criterion for each claim, no points; those are given by people."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from autograder import __version__
from autograder.course.project import read_project_bytes
from autograder.domain.assignment import Assignment
from autograder.domain.grade import CriterionResult, Grade
from autograder.domain.measurement import DuelOutcome
from autograder.domain.project import CLAIM, Claim, Measured, Standing
from autograder.domain.verdict import Verdict, sentence
from autograder.engine.claims import measure
from autograder.engine.node import Node
from autograder.errors import CourseError
from autograder.judge.claim_checks import SPEED
from autograder.measure.machine import fingerprint

MOST_S = (
    1200.0  # no claim is begun later: one more may take half an hour, and whatever takes an hour is given up as lost
)
_VERDICTS = {
    Standing.VERIFIED: Verdict.PASSED, Standing.SLOWER: Verdict.NOT_AS_CLAIMED, Standing.FASTER: Verdict.NOT_AS_CLAIMED,
    Standing.WAITING: Verdict.WAITING_FOR_HARDWARE, Standing.OURS: Verdict.GRADER_FAILED,
}  # fmt: skip


def grade_project(
    node: Node, assignment: Assignment, name: str, content: bytes, cores: tuple[int, ...],
    say: Callable[[dict[str, Any]], None], *, trial: bool = False,
) -> Grade:  # fmt: skip
    """Measures every claim, one after the other.

    Args:
        content: the archive as it was handed in.
        trial: one process pair for each claim.

    Raises:
        SubmissionError: it is no project.
        MachineError: this machine cannot do what a claim asks for.
    """
    begun = time.perf_counter()
    limits = assignment.limits
    project, files = read_project_bytes(name, content, assignment.resources.cores, limits.submission_kb)
    results, engine, machine, guest_s = list[CriterionResult](), dict[str, Any](), fingerprint(), 0.0
    for claim in project.claims:
        if results and time.perf_counter() - begun > MOST_S:
            results.append(_late(claim))
            continue
        try:
            found, grade = measure(node, project, files, claim, _named(say, claim), cores, trial=trial)
        except CourseError as error:  # its inputs do not fit its declaration, say
            results.append(_result(claim, Measured(claim.id, claim.speedup, Standing.FAILED, words=str(error)), None))
            continue
        results.append(_result(claim, found, grade))
        guest_s += float(grade.engine.get("guest_s", 0.0))
        engine, machine = grade.engine, grade.machine
    # what one claim's grading alone says would be read as if it were of all
    kept = {k: v for k, v in engine.items() if k not in ("entropy", "guest_s")}
    wall = time.perf_counter() - begun
    return Grade(
        assignment.slug, name, project.sha256, tuple(results), machine, {"version": __version__, **kept, "guest_s": guest_s},
        wall, wall - guest_s,
    )  # fmt: skip


def _late(claim: Claim) -> CriterionResult:
    """Not begun any more."""
    words = f"the claims before it took more than {MOST_S / 60:g} minutes; make calls shorter, or claim less"
    found = Measured(claim.id, claim.speedup, Standing.UNDECIDED, words=words)
    said = f"{_words(found, None, Verdict.NOT_MEASURED)}."
    return CriterionResult(
        claim.id, claim.title, 0.0, 0.0, Verdict.NOT_MEASURED, said, True, {CLAIM: found.to_json()}
    )  # fmt: skip


def _named(say: Callable[[dict[str, Any]], None], claim: Claim) -> Callable[[dict[str, Any]], None]:
    """Progress of a claim, by its own name."""
    return lambda news: say(news | {"criterion": claim.id} if "criterion" in news else news)


def _result(claim: Claim, found: Measured, grade: Grade | None) -> CriterionResult:
    """One claim as a criterion; both programs are the team's, so it may read all of it."""
    by_id = {c.id: c for c in grade.criteria} if grade else {}
    duel = by_id[SPEED].duel if SPEED in by_id else None
    bad = next((c.verdict for c in by_id.values() if c.verdict is not Verdict.PASSED), Verdict.CRASHED)
    if found.standing is Standing.UNDECIDED:
        verdict = Verdict.INCONCLUSIVE if duel is None or duel.inconclusive else Verdict.NOT_AS_CLAIMED
    else:
        verdict = _VERDICTS.get(found.standing, bad)
    evidence: dict[str, Any] = {CLAIM: found.to_json()}
    if verdict is Verdict.GRADER_FAILED:
        evidence["problem"] = found.words
    if duel is not None:  # the edges of a claim are no tiers, for whoever reads the report
        duel = replace(duel, tiers=(), against="the team's baseline")
    return CriterionResult(claim.id, claim.title, 0.0, 0.0, verdict, _words(found, duel, verdict), True, evidence, duel)


def _words(found: Measured, duel: DuelOutcome | None, verdict: Verdict) -> str:
    said = [f"{found.claimed:g}× is claimed"]
    if duel is not None and found.ratios:
        low, high = found.interval
        bounds = f"{duel.level:.1%} interval {low:.3g} to {high:.3g}, " if math.isfinite(high) else ""
        bounds += f"{len(found.ratios)} rounds"
        said.append(f"{found.speedup:.3g}× was measured ({bounds})")
    if verdict is Verdict.PASSED:
        return f"{', '.join(said)}: verified."
    why = "not measured:" if verdict is Verdict.NOT_MEASURED else sentence(verdict)
    if found.standing in (Standing.SLOWER, Standing.FASTER):
        why = f"{found.standing} than claimed."
    elif verdict is not Verdict.GRADER_FAILED and found.words:
        why = f"{why} {found.words}"
    return f"{', '.join(said)}. {why[0].upper()}{why[1:]}"
