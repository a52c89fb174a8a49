"""A team's claims, re-run: its own program against its own baseline, by the same judge, sandbox and duel as any submission.

What cannot be found out here is whether a baseline is an honest one; people read it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autograder.course.project import FILE
from autograder.domain.assignment import Assignment, Criterion, CriterionKind, Limits, Tier
from autograder.domain.grade import CriterionResult, Grade
from autograder.domain.project import TOLERANCE, Claim, Measured, Project, Standing, of_duel
from autograder.domain.submission import ENTRY, Submission
from autograder.domain.verdict import Fault, Verdict
from autograder.engine.node import Node
from autograder.judge.claim_checks import AGREES, SPEED, stage
from autograder.judge.grading import OWN_FOLDER

LIMITS = Limits(load_s=60.0, call_s=60.0, grading_s=900.0)


def measure(
    node: Node, project: Project, files: dict[str, bytes], claim: Claim, say: Callable[[dict[str, Any]], None],
    cores: tuple[int, ...] = (), *, trial: bool = False,
) -> tuple[Measured, Grade]:  # fmt: skip
    """Duels one claim.

    Args:
        node: where; its rule decides how many rounds are played.
        files: of the project, as they were handed in.
        say: progress.
        cores: as for `Node.grade`; of more than the claim asks for, the last ones.
        trial: one process pair instead of two.

    Raises:
        AutograderError: the machine cannot do what the claim asks for.
    """
    with _staged(project, files, claim) as (assignment, submission):
        lent = cores[-claim.resources.cores :]
        grade = node.grade(assignment, submission, say=say, cores=lent, trial=trial)
    return _measured(claim, grade), grade


@contextmanager
def _staged(project: Project, files: dict[str, bytes], claim: Claim) -> Iterator[tuple[Assignment, Submission]]:
    """The claim as an assignment of its own, whose reference is the team's baseline."""
    with tempfile.TemporaryDirectory(prefix="autograder-claim-") as name:
        folder = Path(name)
        for path, content in _program(files, claim.baseline).items():
            target = folder / OWN_FOLDER / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        function = next(f for f in project.functions if f.name == claim.function)
        inputs = [
            {"how": d.how, "low": d.low, "high": d.high, "shape": d.shape, "dtype": a.type.dtype or a.type.scalar}
            for a, d in ((a, claim.inputs[a.name]) for a in function.arguments)
        ]
        stage(folder, {"function": function.name, "rtol": claim.rtol, "inputs": inputs})
        yield (
            _assignment(project, claim, folder),
            Submission(claim.program, _program(files, claim.program), project.sha256),
        )


def _program(files: dict[str, bytes], main: str) -> dict[str, bytes]:
    """What a guest gets: code and data, and the main file by the name under which it is looked for."""
    kept = {n: content for n, content in files.items() if not n.endswith((".pdf", ".ipynb")) and n != FILE}
    return {**kept, ENTRY: files[main]}


def _assignment(project: Project, claim: Claim, folder: Path) -> Assignment:
    tiers = tuple(Tier(edge * claim.speedup, 0.0) for edge in (1 - TOLERANCE, 1 + TOLERANCE))
    criteria = (
        Criterion(AGREES, "Both programs agree", 0.0, hint="Compare the two programs on small inputs."),
        Criterion(SPEED, claim.title, 0.0, CriterionKind.SPEEDUP, tiers=tiers, edges=True),
    )
    return Assignment(
        f"{project.slug}/{claim.id}", folder, project.title, "", "", claim.kind, "", "", OWN_FOLDER, OWN_FOLDER,
        claim.resources, LIMITS, project.functions, (), criteria, own_reference=True,
    )  # fmt: skip


def _measured(claim: Claim, grade: Grade) -> Measured:
    """The grade of one claim, read."""
    found = {c.id: c for c in grade.criteria}
    speed = found[SPEED]
    timed = speed.verdict in (Verdict.PASSED, Verdict.TOO_SLOW, Verdict.INCONCLUSIVE) and speed.duel is not None
    if timed and speed.duel is not None and speed.duel.counted:
        return of_duel(claim, speed.duel)
    bad = next((c for c in grade.criteria if c.verdict is not Verdict.PASSED), speed)
    return Measured(claim.id, claim.speedup, _standing(bad), words=_words(bad))


def _standing(result: CriterionResult) -> Standing:
    if result.verdict is Verdict.WAITING_FOR_HARDWARE:
        return Standing.WAITING
    if result.verdict is Verdict.INCONCLUSIVE:
        return Standing.UNDECIDED
    return Standing.OURS if result.verdict.fault is Fault.OURS else Standing.FAILED


def _words(result: CriterionResult) -> str:
    """Everything that the judge found: both programs are the team's, and nothing of them is secret to it."""
    details = [c["detail"] for c in result.evidence.get("checks", ()) if c["verdict"] != Verdict.PASSED]
    return "\n".join(filter(None, [f"{result.verdict}: {details[0]}" if details else result.sentence]))
