"""`autograder regrade`: the latest submissions once more, the difference first."""

from __future__ import annotations

import getpass
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.api import (
    Assignment,
    Entry,
    Grade,
    Ledger,
    Node,
    Options,
    Submission,
    SubmissionError,
    exercise,
    receive_bytes,
)
from autograder.cli.ledger import DATABASE, STATE, existing
from autograder.course.load import course_folder
from autograder.course.version import version
from autograder.report.terminal import plain


@click.command()
@click.argument("assignment")
@click.option("--dry-run", is_flag=True, help="Show the difference and stop.")
@click.option("--yes", is_flag=True, help="Make it live without asking.")
@click.option("--course", default="course", envvar="AUTOGRADER_COURSE", show_default=True)
@STATE
@DATABASE
def regrade(assignment: str, dry_run: bool, yes: bool, course: str, state: Path, database: str) -> None:
    """Grade every student's latest submission for ASSIGNMENT again, on this machine, and show what would change.

    Nothing is made live before the difference was shown; verdicts that could not be decided replace nothing.
    """
    work, console = exercise(assignment), Console()
    with closing(existing(database, state)) as ledger:
        latest = ledger.latest(course, work.slug)
        if not latest:
            console.print(f"no submissions for {work.slug} in course {course} of {state}")
            return
        entries, submissions = _taken(work, ledger, latest, console)
        digest = version(work, course_folder().parent / "reference")  # before: an edit meanwhile is another version
        fresh = _grade(work, submissions)
        open_ones = [g.ours or g.waiting for g in fresh]  # a machine without a GPU decides no speed on one
        graded = zip(entries, fresh, open_ones, strict=True)
        changed = [(e, g) for e, g, undecided in graded if not undecided and _differs(ledger, e, g)]
        console.print(_table(ledger, entries, fresh))
        undecided = sum(open_ones) + len(latest) - len(entries)
        console.print(
            f"{len(entries)} regraded, {len(changed)} would change, {undecided} could not be decided and stay"
        )
        if dry_run or not changed or not (yes or click.confirm("make these live?")):
            return
        ledger.version(course, work.slug, digest)
        for entry, grade in changed:
            body = grade.to_json()
            body["engine"] |= {"assignment_version": digest}
            ledger.replace_grade(entry.id, body, by=getpass.getuser())
        console.print(f"{len(changed)} grades are live; the old ones stay in the ledger")


def _taken(
    work: Assignment, ledger: Ledger, latest: list[Entry], console: Console
) -> tuple[list[Entry], list[Submission]]:
    """What the assignment, as it is now, still takes in: one that it refuses keeps its grade, and stops nobody else."""
    entries, submissions = [], []
    for entry in latest:
        try:
            taken = receive_bytes(entry.name, ledger.content(entry.id), work.limits.submission_kb, work.slug)
        except SubmissionError as error:
            console.print(f"{plain(entry.student)}: refused by the assignment as it is now: {plain(str(error))}")
            continue
        entries.append(entry)
        submissions.append(taken)
    return entries, submissions


def _grade(work: Assignment, submissions: list[Submission]) -> list[Grade]:
    fresh: dict[int, Grade] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Node(Options()) as node, Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(work.slug, total=len(submissions))
        for index, grade in node.grade_many(work, submissions):
            fresh[index] = grade
            progress.advance(task)
    return [fresh[i] for i in range(len(submissions))]


def _differs(ledger: Ledger, entry: Entry, grade: Grade) -> bool:
    old = ledger.grade_json(entry.id)
    return old is None or _lines(old) != _lines(grade.to_json())


def _lines(grade: dict[str, Any]) -> dict[str, tuple[float, str]]:
    return {c["id"]: (c["points"], c["verdict"]) for c in grade["criteria"]}


def _table(ledger: Ledger, entries: list[Entry], fresh: list[Grade]) -> Table:
    table = Table("Student", "Before", "Now", "What changed")
    for entry, grade in zip(entries, fresh, strict=True):
        before, now = _lines(ledger.grade_json(entry.id) or {"criteria": []}), _lines(grade.to_json())
        words = [
            f"{name}: {'new' if name not in before else f'{before[name][1]} {before[name][0]:g}'} → {now[name][1]} {now[name][0]:g}"
            for name in now
            if before.get(name) != now[name]
        ]
        old = "–" if entry.score is None else f"{entry.score:g}"
        table.add_row(plain(entry.student), old, f"{grade.score:g}", "\n".join(words) or "nothing")
    return table
