"""`autograder grade` and `autograder check`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from autograder.api import (
    Assignment,
    CourseError,
    Grade,
    Node,
    Options,
    Submission,
    SubmissionError,
    find,
    load,
    receive,
    write_page,
)
from autograder.cli import EXIT_OURS
from autograder.cli.choices import SANDBOX
from autograder.report import terminal


@click.command()
@click.argument("assignment")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON object per submission, for staff (seeds and details included).",
)
@SANDBOX
@click.option("--seed", default="", metavar="HEX", help="Replay a recorded entropy, as printed in the evidence.")
@click.option("--only", default="", metavar="CRITERION", help="Run this criterion alone.")
@click.option(
    "--html", type=click.Path(path_type=Path), help="Also write a page: a file, or with several submissions a folder."
)
@click.option("--staff", is_flag=True, help="The page and the table show details of hidden checks.")
@click.option("--quick", is_flag=True, help="One process pair per duel instead of two.")
def grade(
    assignment: str,
    files: tuple[Path, ...],
    as_json: bool,
    sandbox: str,
    seed: str,
    only: str,
    html: Path | None,
    staff: bool,
    quick: bool,
) -> None:
    """Grade FILE (a .py, .ipynb, folder, .zip or .tar.gz) against ASSIGNMENT (a folder, or a name under assignments/).

    With several files the class is graded as many at once as the machine has slots.
    """
    work = load(find(assignment))
    submissions, refused = _receive(work, files)
    grades: list[Grade] = []
    with Node(Options(kind=sandbox, pairs=1 if quick else 2)) as node:
        if len(submissions) == 1 and len(files) == 1:
            grades = [_one(node, work, submissions[0], seed, only, quiet=as_json)]
        elif submissions:
            if seed or only:
                raise click.UsageError("--seed and --only replay one submission; name one FILE")
            grades = _many(node, work, submissions, quiet=as_json)
    _tell(grades, as_json=as_json, staff=staff)
    if html is not None:
        for result in grades:
            page = (
                html
                if len(grades) == 1 and html.suffix
                else html / f"{Path(result.submission_name).stem}-{result.submission_sha256[:8]}.html"
            )
            Console(stderr=True).print(f"report: {write_page(result, page, staff=staff)}")
    if refused:
        raise SubmissionError("; ".join(refused))
    if any(g.ours for g in grades):
        sys.exit(EXIT_OURS)


def _receive(work: Assignment, files: tuple[Path, ...]) -> tuple[list[Submission], list[str]]:
    """What could be taken in, and why the rest was refused: one bad file does not stop a class."""
    taken, refused = [], []
    adapter = work.folder / "adapter.py"
    for file in files:
        try:
            taken.append(receive(file, work.limits.submission_kb, adapter if adapter.is_file() else None))
        except SubmissionError as error:
            refused.append(f"{file.name}: refused: {error}")
    return taken, refused


def _one(node: Node, work: Assignment, submission: Submission, seed: str, only: str, *, quiet: bool) -> Grade:
    console = Console(stderr=True, quiet=quiet)
    with console.status(f"{work.slug}: starting") as status:

        def say(message: dict[str, Any]) -> None:
            status.update(f"{work.slug}: {terminal.news(message)}")

        return node.grade(work, submission, seed=seed, only=only, say=say)


def _many(node: Node, work: Assignment, submissions: list[Submission], *, quiet: bool) -> list[Grade]:
    console = Console(stderr=True, quiet=quiet)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    done: dict[int, Grade] = {}
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(work.slug, total=len(submissions))

        def say(index: int, message: dict[str, Any]) -> None:
            progress.update(task, description=f"{terminal.plain(submissions[index].name)}: {terminal.news(message)}")

        for index, result in node.grade_many(work, submissions, say):
            done[index] = result
            progress.advance(task)
    return [done[i] for i in sorted(done)]


def _tell(grades: list[Grade], *, as_json: bool, staff: bool) -> None:
    console = Console()
    for result in grades:
        if as_json:
            click.echo(json.dumps(result.to_json(), default=str))
        else:
            terminal.show(result, console, staff=staff)


@click.command()
@click.argument("assignment")
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check(assignment: str, file: Path | None) -> None:
    """Run ASSIGNMENT's public checks on FILE (default: the notebook in the folder), in place, for students.

    The same checks and messages as in the grading; not isolated, not timed, not recorded.
    """
    work = load(find(assignment))
    target = file or work.folder / f"{work.slug}.ipynb"
    if not any(c.public for c in work.criteria):
        raise CourseError(work.slug, "has no public checks")
    submission = receive(target, work.limits.submission_kb)
    with Node(Options(kind="subprocess", pairs=1)) as node:
        result = node.grade(work, submission, public_only=True)
    terminal.show(result, Console())
    if any(c.verdict != "passed" for c in result.criteria):
        sys.exit(1)
