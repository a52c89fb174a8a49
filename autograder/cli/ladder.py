"""`autograder course ladder`: every rung from the baseline to the reference kernel, against the limits of this machine."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from autograder.api import Assignment, Node, Options, Submission, all_folders, exercise, load, receive
from autograder.cli.choices import SANDBOX
from autograder.cli.marked import Marked
from autograder.course.load import course_folder
from autograder.domain.assignment import Criterion, CriterionKind, Kind
from autograder.domain.measurement import DuelOutcome
from autograder.engine.peaks import Peaks, measure
from autograder.errors import CourseError
from autograder.measure.machine import fingerprint

LADDER = Marked("ladder: written by `autograder course ladder`; do not edit", "end of the ladder")
_PATIENCE = 3


@dataclass(frozen=True, slots=True)
class Rung:
    """One program of one timed criterion.

    Attributes:
        seconds: of a call, on as many cores as it was given.
        times: seconds of the slowest comparable rung over these.
        share: of the roofline, or None where no counts are declared.
    """

    where: str
    name: str
    cores: int
    seconds: float
    times: float
    share: float | None


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

    Times of one criterion come from duels against the same kernel in one run: the kernel's median, divided by each
    duel's speedup. The roofline is this machine's measured copy bandwidth and flop peak on as many cores; a GPU's limits are
    measured by tests/bench/gpu_ladder.py. If ASSIGNMENTS are named, other rows of --output stay if they are of this processor.
    """
    chosen = [exercise(a) for a in assignments] or [load(f) for f in all_folders() if not f.name.startswith("_")]
    kept = [] if output is None else _kept(output, {a.slug for a in chosen} if assignments else None)
    console, options = Console(stderr=True), Options(kind=sandbox)
    bare = [a for a in chosen if a.kind is Kind.GPU and not options.gpus]
    if bare:
        console.print(f"not measured, this machine has no GPU: {', '.join(a.slug for a in bare)}")
    work = [(a, c) for a in chosen if a not in bare for c in a.criteria if c.kind.timed]
    with Node(options) as node, Progress(console=console) as progress:
        task = progress.add_task("measuring", total=len(work))
        peaks = {
            p: measure(node, tuple(sorted(os.sched_getaffinity(0))[-p:]))
            for p in sorted(
                {n for a, _ in work if a.kind is not Kind.GPU for n in (1, a.resources.cores)} | _cores(kept)
            )
        }
        rungs: list[Rung] = []
        for assignment, criterion in work:
            progress.update(task, description=f"{assignment.slug} {criterion.id}")
            rungs += _rungs(node, assignment, criterion, peaks)
            progress.advance(task)
            if output is not None:  # it takes long, and whatever stops it costs no more than one criterion
                LADDER.write(output, table(rungs, peaks, kept))
    click.echo(table(rungs, peaks) if output is None else output)


def _kept(output: Path, measured: set[str] | None) -> list[str]:
    """The rows of the file that are not of the assignments that are measured now; all are, if None.

    Raises:
        CourseError: the file has no marks, or the rows that would stay were measured on another processor.
    """
    text = LADDER.read(output)
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    rows = [r for r in rows if measured is not None and not r.startswith("| ---") and _slug(r) not in measured]
    processor = fingerprint()["processor"]
    if rows and not text.startswith(f"{processor}: "):
        raise CourseError(str(output), f"rows that would stay are not of this {processor}: name no assignments")
    return rows


def _slug(row: str) -> str:
    return row.removeprefix("| ").partition(",")[0]


def _cores(rows: list[str]) -> set[int]:
    return {int(r.split(" | ")[2]) for r in rows}


def _rungs(node: Node, assignment: Assignment, criterion: Criterion, peaks: dict[int, Peaks]) -> Iterator[Rung]:
    root = node.options.references or course_folder().parent / "reference"
    files = {f"baseline ({assignment.baseline}.py)": root / f"{assignment.baseline}.py"}
    files |= {f"solution {p.name}": p for p in sorted((assignment.folder / "solutions").glob("*.py"))}
    duels: dict[str, DuelOutcome] = {}
    for name, path in files.items():
        outcome = _duel(node, assignment, criterion, receive(path, assignment.limits.submission_kb))
        if outcome is not None:
            duels[name] = outcome
    if not duels:
        return
    kernel_s = statistics.median(d.reference_s for d in duels.values())
    scaled = criterion.kind is CriterionKind.SCALING
    p = criterion.workers if scaled else assignment.resources.cores
    found = [(name, p, kernel_s / d.speedup) for name, d in duels.items()]
    kernel = f"kernel ({assignment.kernel}.py)"
    if scaled:
        extra = [kernel_s * r.extra_s / r.reference_s for d in duels.values() for r in d.counted if r.extra_s]
        found += [(kernel, 1, kernel_s), *([(kernel, p, statistics.median(extra))] if extra else [])]
    else:
        found.append((kernel, p, kernel_s))
    slowest = max(s for _, _, s in found)
    for name, cores, seconds in sorted(found, key=lambda row: -row[2]):
        counted = (criterion.flops or criterion.bytes) and assignment.kind is not Kind.GPU
        share = peaks[cores].share(criterion.flops, criterion.bytes, seconds) if counted else None
        yield Rung(f"{assignment.slug}, {criterion.id}", name, cores, seconds, slowest / seconds, share)


def _duel(node: Node, assignment: Assignment, criterion: Criterion, submission: Submission) -> DuelOutcome | None:
    """A noisy machine is asked again; who is too slow for the time limit has no rung."""
    for _ in range(_PATIENCE):
        grade = node.grade(assignment, submission, only=criterion.id)
        if not grade.ours and grade.criteria[0].duel is not None:
            return grade.criteria[0].duel
    return None


def table(rungs: list[Rung], peaks: dict[int, Peaks], kept: Sequence[str] = ()) -> str:
    """Markdown; rows that are kept stand among the others, assignment by assignment."""
    limits = (
        f"{p} core{'s' if p > 1 else ''}: {k.flops / 1e9:.1f} Gflop/s, copy {k.bytes / 1e9:.1f} GB/s"
        for p, k in peaks.items()
    )
    lines = [
        f"{fingerprint()['processor']}: {'; '.join(limits)}.",
        "",
        "| assignment, criterion | rung | cores | a call | against the slowest | of the roofline | measured |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    today, rows = f"{datetime.now(UTC):%Y-%m-%d}", list(kept)
    for r in rungs:
        share = "–" if r.share is None else f"{r.share:.1%}"
        figures = f"{r.cores} | {1e3 * r.seconds:.4g} ms | {r.times:.3g}× | {share}"
        rows.append(f"| {r.where} | {r.name} | {figures} | {today} |")
    return "\n".join(lines + sorted(rows, key=_slug))
