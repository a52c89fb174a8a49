"""The life of one grading inside its judge process: load → check → duel → score."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_timeout

from autograder import __version__
from autograder.domain.assignment import Criterion
from autograder.domain.grade import CriterionResult, Grade
from autograder.domain.measurement import Decision, DuelOutcome
from autograder.domain.verdict import Finding, Verdict
from autograder.errors import CourseError, SandboxError
from autograder.judge.grading import ALARM, Grading, Hand, Job
from autograder.judge.plugin import Judge
from autograder.judge.wording import describe, describe_duel
from autograder.measure.machine import fingerprint
from autograder.sandbox.base import Sandbox

Say = Callable[[dict[str, Any]], None]
# pytest's own plugins that no check needs: each costs a judge half a millisecond or so
_WITHOUT = [
    part
    for name in (
        "cacheprovider", "unraisableexception", "threadexception", "faulthandler", "pastebin", "junitxml", "doctest",
        "stepwise", "setuponly", "setupplan", "legacypath",
    )
    for part in ("-p", f"no:{name}")
]  # fmt: skip
_ARGUMENTS = [
    "-q", "--no-header", "--tb=native", "--noconftest", "-c", os.devnull, "--import-mode=importlib", *_WITHOUT,
    "--capture=no", "-o", "markers=criterion(id): the criterion that a check belongs to",
]  # fmt: skip


def grade(
    job: Job, sandbox: Callable[[], Sandbox], hands: list[Hand], references: list[Hand], say: Say = lambda _: None
) -> Grade:
    """Judges one submission.

    Args:
        job: what to do.
        sandbox: makes further guests, when those started ahead do not suffice.
        hands: guests started ahead, for the submission; all are ended here.
        references: warm guests for the kernel; they live on, unless marked broken.
        say: progress, for who watches.

    Raises:
        CourseError: the assignment is wrong.
        SandboxError: the engine failed; the caller retries.
    """
    begun = time.perf_counter()
    step_aside(job.profile.cores)
    grading = Grading(job, sandbox, hands, references, say)
    try:
        say({"phase": "load"})
        grading.submission()
        if grading.load_finding is None:
            output = _run_checks(grading)
            if grading.failure is not None:
                raise grading.failure
            if not grading.findings and not job.waits:
                raise CourseError(job.assignment.slug, f"pytest collected no check:\n{output[-2000:]}")
        criteria = _scores(grading)
        guest_s = grading.guest_s()
    finally:
        grading.close()
    wall = time.perf_counter() - begun
    engine = {
        "version": __version__, "isolated": grading.isolated,
        "image": job.profile.image, "entropy": job.entropy, "attempt": job.attempt, "pairs": job.pairs,
        "guest_s": round(guest_s, 4), **({"device": job.profile.device} if job.profile.device else {}),
        **({"brief": True} if job.brief else {}),
    }  # fmt: skip
    return Grade(
        job.assignment.slug,
        job.submission.name,
        job.submission.sha256,
        criteria,
        fingerprint(),
        engine,
        wall,
        wall - guest_s,
    )


def step_aside(cores: tuple[int, ...]) -> None:
    """The judge leaves the guests' cores where there are others."""
    rest = os.sched_getaffinity(0) - set(cores)
    if rest:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, rest)


def _run_checks(grading: Grading) -> str:
    """The folder's tests in this process; returns what pytest said, for staff."""
    job = grading.job
    names = ["test_public.py"] if job.public_only else ["test_public.py", "test_hidden.py"]
    files = [str(job.assignment.folder / n) for n in names if (job.assignment.folder / n).is_file()]
    arguments = [
        *files,
        *_ARGUMENTS,
        f"--rootdir={job.assignment.folder}",
        f"--confcutdir={job.assignment.folder}",  # otherwise every folder above is looked through as well
        f"--timeout={ALARM * job.assignment.limits.grading_s}",
    ]
    course = str(job.references.parent)
    if course not in sys.path:
        sys.path.insert(0, course)  # `from reference import heat`: the oracle, in the judge only
    return _pytest(arguments, Judge(grading))


def _pytest(arguments: list[str], *plugins: object) -> str:
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.main(arguments, plugins=[*plugins, pytest_timeout])
    return said.getvalue()


def rehearse() -> None:
    """Runs pytest over nothing, so that a judge that is forked from here finds all of it imported."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text(
            "import pytest\n\n\ndef test_nothing():\n    pass\n", encoding="utf-8"
        )
        _pytest([folder, *_ARGUMENTS, f"--rootdir={folder}"])


def _scores(grading: Grading) -> tuple[CriterionResult, ...]:
    """All that were asked for, in order; what went wrong in the import is told once."""
    results, told = list[CriterionResult](), False
    for criterion in filter(grading.job.asks_for, grading.job.assignment.criteria):
        result, failed = _score(grading, criterion, told)
        results.append(result)
        told = told or failed
    return tuple(results)


def _score(grading: Grading, criterion: Criterion, told: bool) -> tuple[CriterionResult, bool]:
    """Points, verdict and sentence of one criterion, and whether it tells why the import failed.

    Args:
        told: an earlier one did.
    """
    found = grading.findings.get(criterion.id, [])
    if grading.job.waits and (criterion.kind.timed or _unknown_here(grading)):
        found = [("hardware", Finding(Verdict.WAITING_FOR_HARDWARE, _why(grading)))]
    if grading.load_finding is not None and not found:
        found = [("import", grading.load_finding)]
    if not found and grading.ended_early:
        found = [("not reached", Finding(Verdict.NOT_MEASURED))]
    if not found:
        raise CourseError(f"{grading.job.assignment.slug}: criterion {criterion.id!r}", "no check carries it")
    check, worst = next(((n, f) for n, f in found if f.verdict is not Verdict.PASSED), found[0])
    duel = grading.duels.get(criterion.id)
    evidence: dict[str, Any] = {
        "checks": [{"name": n, "verdict": str(f.verdict), "detail": f.detail} for n, f in found]
    }
    if criterion.kind.timed and duel is not None and worst.verdict is Verdict.PASSED:
        return _timed(grading, criterion, duel, evidence), False
    points = criterion.points if worst.verdict is Verdict.PASSED else 0.0
    failed = worst is grading.load_finding and worst.verdict is Verdict.DID_NOT_LOAD
    words = describe(criterion, replace(worst, detail="The message is above.") if failed and told else worst, check)
    result = CriterionResult(
        criterion.id, criterion.title, points, criterion.points, worst.verdict, words, criterion.public, evidence, duel
    )
    return result, failed


def _unknown_here(grading: Grading) -> bool:
    """Without a GPU, code that does not load may be code that needs one: the machine that has one decides."""
    return grading.load_finding is not None and grading.load_finding.verdict is Verdict.DID_NOT_LOAD


def _why(grading: Grading) -> str:
    return f"without a GPU it does not load: {grading.load_finding.detail}" if grading.load_finding else "it is timed"


def _timed(grading: Grading, criterion: Criterion, duel: DuelOutcome, evidence: dict[str, Any]) -> CriterionResult:
    points = sum(t.points for t in duel.tiers if t.decision is Decision.PASS)
    if duel.inconclusive:  # an open tier, too many dropped rounds, a failed canary: neither passed nor failed
        verdict, points = Verdict.INCONCLUSIVE, 0.0
    elif points < criterion.points:
        verdict = Verdict.TOO_SLOW
    else:
        verdict = Verdict.PASSED
    words = describe_duel(criterion, duel)
    if not grading.correct_so_far:  # a later finding on correctness takes the speed's points with it
        verdict, points, words = Verdict.NOT_MEASURED, 0.0, describe(criterion, Finding(Verdict.NOT_MEASURED), "")
    return CriterionResult(
        criterion.id, criterion.title, points, criterion.points, verdict, words, criterion.public, evidence, duel
    )


__all__ = ["SandboxError", "grade"]
