"""`autograder course ladder`: every rung from the baseline to the reference kernel, against the limits of this machine."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import click
from rich.console import Console
from rich.progress import Progress

from autograder.api import Assignment, Node, Options, Submission, all_folders, exercise, load, receive
from autograder.cli import EXIT_OURS
from autograder.cli.choices import SANDBOX
from autograder.cli.marked import Marked
from autograder.course.load import course_folder
from autograder.domain.assignment import Criterion, CriterionKind, Kind
from autograder.domain.grade import CriterionResult
from autograder.domain.measurement import DuelOutcome
from autograder.domain.verdict import Fault
from autograder.engine.peaks import Peaks, measure
from autograder.errors import CourseError
from autograder.measure.machine import fingerprint

LADDER = Marked("ladder: written by `autograder course ladder`; do not edit", "end of the ladder")
_PATIENCE = 3
_COLUMNS = ("assignment, criterion", "rung", "cores", "a call", "against the slowest", "of the roofline", "measured")
_ALIGNED = ("---", "---", "---:", "---:", "---:", "---:", "---")


@dataclass(frozen=True, slots=True)
class Rung:
    """One program of one timed criterion.

    Attributes:
        seconds: of a call, on as many cores as it was given.
        gain: over the slowest comparable rung, as duels weigh it: by time, or by time × variance.
        share: of the roofline, or None where no counts are declared.
    """

    name: str
    cores: int
    seconds: float
    gain: float
    share: float | None


@dataclass(slots=True)
class Ladder:
    """What stands between the marks.

    Attributes:
        runs: when something was measured, and the processor and its limits then.
        rows: cells; the first names the criterion, the second the rung, the last the run.
    """

    runs: dict[str, str] = field(default_factory=dict)
    rows: list[tuple[str, ...]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What earlier runs have left in a file.

        Raises:
            CourseError: it has no marks, or a row of a run whose limits it does not tell.
        """
        lines = LADDER.read(path).splitlines()
        told = [line.removeprefix("- ").partition(": ") for line in lines if line.startswith("- ")]
        table = [line for line in lines if line.startswith("| ")][2:]
        made = cls({run: limits for run, _, limits in told}, [tuple(row.strip("| ").split(" | ")) for row in table])
        for row in made.rows:
            if len(row) != len(_COLUMNS) or row[-1] not in made.runs:
                raise CourseError(
                    str(path), f"no line above the table tells the limits of this row's run: {' | '.join(row)}"
                )
        return made

    def put(self, where: str, rungs: Sequence[Rung], missing: Sequence[str], run: str) -> None:
        """New rows for the old ones of a criterion; of rungs that were not measured the old ones stay."""
        if not rungs:
            return
        at = next((i for i, row in enumerate(self.rows) if row[0] == where), len(self.rows))
        old = [row for row in self.rows[at:] if row[0] != where or row[1] in missing]
        self.rows[at:] = [*(_cells(where, rung, run) for rung in rungs), *old]

    def markdown(self) -> str:
        """Runs that still have rows, then all rows, assignment by assignment."""
        used = {row[-1] for row in self.rows}
        runs = [f"- {run}: {limits}" for run, limits in self.runs.items() if run in used]
        rows = sorted(self.rows, key=lambda row: row[0].partition(",")[0])
        return "\n".join([*runs, "", *(f"| {' | '.join(row)} |" for row in (_COLUMNS, _ALIGNED, *rows))])


@click.command("ladder")
@click.argument("assignments", nargs=-1)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the table into this file, between its marks.",
)
@SANDBOX
def ladder(assignments: tuple[str, ...], output: Path | None, sandbox: str) -> None:
    """Duel baselines and solutions of all ASSIGNMENTS (or those named) against the kernel; print times and roofline shares.

    Times of one criterion come from duels against the same kernel in one run: the kernel's median, times each duel's median of
    the two calls' ratio. The roofline is this machine's measured copy bandwidth and flop peak on as many cores; a GPU's limits
    are measured by tests/bench/gpu_ladder.py. A row of --output is replaced when its rung has been measured anew; until
    then it stays, under the limits of its own run. A rung that could not be measured is named, and the exit code is 3.
    """
    chosen = [exercise(a) for a in assignments] or [load(f) for f in all_folders() if not f.name.startswith("_")]
    page = Ladder() if output is None else Ladder.read(output)
    console, options = Console(stderr=True), Options(kind=sandbox)
    bare = [a for a in chosen if a.kind is Kind.GPU and not options.gpus]
    if bare:
        console.print(f"not measured, this machine has no GPU: {', '.join(a.slug for a in bare)}")
    work = [(a, c) for a in chosen if a not in bare for c in a.criteria if c.kind.timed]
    cores = sorted({n for a, _ in work if a.kind is not Kind.GPU for n in (1, a.resources.cores)})
    run, lost = f"{datetime.now(UTC):%Y-%m-%d %H:%M}", False
    with Node(options) as node, Progress(console=console) as progress:
        task = progress.add_task("measuring", total=len(work))
        peaks = {p: measure(node, tuple(sorted(os.sched_getaffinity(0))[-p:])) for p in cores}
        page.runs[run] = _limits(peaks)
        for assignment, criterion in work:
            where = f"{assignment.slug}, {criterion.id}"
            progress.update(task, description=where)
            duels, missing = _duels(node, assignment, criterion)
            for name, why in missing.items():
                console.print(f"no rung: {where}, {name}: {why}", markup=False, highlight=False, soft_wrap=True)
            lost = lost or bool(missing)
            page.put(where, _rungs(assignment, criterion, duels, peaks), list(missing), run)
            progress.advance(task)
            if output is not None:  # it takes long, and whatever stops it costs no more than one criterion
                LADDER.write(output, page.markdown())
    click.echo(page.markdown() if output is None else output)
    if lost:
        sys.exit(EXIT_OURS)


def _duels(node: Node, assignment: Assignment, criterion: Criterion) -> tuple[dict[str, DuelOutcome], dict[str, str]]:
    """Of baseline and solutions by name; and why there is none of the others."""
    root = node.options.references or course_folder().parent / "reference"
    files = {f"baseline ({assignment.baseline}.py)": root / f"{assignment.baseline}.py"}
    files |= {f"solution {p.name}": p for p in sorted((assignment.folder / "solutions").glob("*.py"))}
    duels, missing = dict[str, DuelOutcome](), dict[str, str]()
    for name, path in files.items():
        result = _graded(node, assignment, criterion, receive(path, assignment.limits.submission_kb))
        if result.duel is None or result.verdict.fault is Fault.OURS:
            missing[name] = f"{result.verdict}. {result.sentence}"
        else:
            duels[name] = result.duel
    return duels, missing


def _graded(node: Node, assignment: Assignment, criterion: Criterion, submission: Submission) -> CriterionResult:
    """A noisy machine is asked again."""
    for _ in range(_PATIENCE):
        grade = node.grade(assignment, submission, only=criterion.id)
        if not grade.ours:
            break
    return grade.criteria[0]


def _rungs(
    assignment: Assignment, criterion: Criterion, duels: dict[str, DuelOutcome], peaks: dict[int, Peaks]
) -> list[Rung]:
    """Slowest first; none without a duel."""
    if not duels:
        return []
    kernel_s = statistics.median(d.reference_s for d in duels.values())
    scaled = criterion.kind is CriterionKind.SCALING
    p = criterion.workers if scaled else assignment.resources.cores
    # a duel's own estimate may weigh time with variance: it is what a program gains, and no call's time
    found = [
        (name, p, kernel_s * statistics.median(r.submission_s / r.reference_s for r in d.witnesses), d.speedup)
        for name, d in duels.items()
    ]
    kernel = f"kernel ({assignment.kernel}.py)"
    if scaled:
        extra = [r.extra_s / r.reference_s for d in duels.values() for r in d.counted if r.extra_s]
        found.append((kernel, 1, kernel_s, 1.0))
        found += [(kernel, p, kernel_s * share, 1 / share) for share in ([statistics.median(extra)] if extra else [])]
    else:
        found.append((kernel, p, kernel_s, 1.0))
    slowest = min(gain for *_, gain in found)
    counted = (criterion.flops or criterion.bytes) and assignment.kind is not Kind.GPU
    return [
        Rung(name, n, s, gain / slowest, peaks[n].share(criterion.flops, criterion.bytes, s) if counted else None)
        for name, n, s, gain in sorted(found, key=lambda row: row[-1])
    ]


def _limits(peaks: dict[int, Peaks]) -> str:
    """This processor's, in words."""
    words = (
        f"{p} core{'s' if p > 1 else ''}: {k.flops / 1e9:.1f} Gflop/s, copy {k.bytes / 1e9:.1f} GB/s"
        for p, k in peaks.items()
    )
    return f"{fingerprint()['processor']}; {'; '.join(words)}."


def _cells(where: str, rung: Rung, run: str) -> tuple[str, ...]:
    share = "–" if rung.share is None else f"{rung.share:.1%}"
    return (where, rung.name, f"{rung.cores}", f"{1e3 * rung.seconds:.4g} ms", f"{rung.gain:.3g}×", share, run)
