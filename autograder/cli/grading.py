"""`autograder grade` and `autograder check`."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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
    exercise,
    receive,
    write_page,
)
from autograder.cli import EXIT_MISSED, EXIT_OURS
from autograder.cli.choices import SANDBOX
from autograder.domain.verdict import Fault
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

    With several files the class is graded as many at once as the machine has slots; verdicts are printed as they come.
    """
    work = exercise(assignment)
    if len(files) > 1 and (seed or only):
        raise click.UsageError("--seed and --only replay one submission; name one FILE")
    submissions, refused = _receive(work, files)
    output = _Output(Console(), html, single=len(files) == 1, as_json=as_json, staff=staff)
    output.ready()
    with Node(Options(kind=sandbox, pairs=1 if quick else 2)) as node:
        if len(files) == 1 and submissions:
            output.tell(_one(node, work, submissions[0], seed, only, quiet=as_json))
        elif submissions:
            _many(node, work, submissions, output)
    if refused:
        raise SubmissionError("; ".join(refused))
    if output.ours:
        sys.exit(EXIT_OURS)


@dataclass
class _Output:
    """Where verdicts go as they come: whatever ends a class early, those that were reached are there."""

    console: Console
    html: Path | None
    single: bool
    as_json: bool
    staff: bool
    ours: bool = False
    names: Counter[str] = field(default_factory=Counter)  # two students may hand in the same bytes by the same name
    notes: Console = field(init=False)  # with the progress; beside verdicts where both are read, else out of their way

    def __post_init__(self) -> None:
        shared = self.console.is_terminal and not self.as_json
        self.notes = self.console if shared else Console(stderr=True)

    def tell(self, grade: Grade) -> None:
        """One verdict, on standard output and, where one was asked for, on a page."""
        self.ours = self.ours or grade.ours
        page, problem = self._page(grade)  # first: who has read a verdict finds its page
        if self.as_json:
            click.echo(json.dumps(grade.to_json(), default=str))
        else:
            terminal.show(grade, self.console, staff=self.staff)
            if not self.single:
                self.console.print()
        if page is not None:
            self.notes.print(f"report: {page}", soft_wrap=True, markup=False, highlight=False)
        if problem:
            self.notes.print(f"no report: {problem}", soft_wrap=True, markup=False, highlight=False)

    def ready(self) -> None:
        """Before anything is graded: whether pages can be written where they are asked for.

        Raises:
            UsageError: they cannot.
        """
        if self.html is None:
            return
        folder = self.html.parent if self.single and self.html.suffix else self.html
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise click.UsageError(f"--html {self.html}: {error.strerror}; name a folder for a class") from error
        if not os.access(folder, os.W_OK):
            raise click.UsageError(f"--html {self.html}: no right to write there")

    def _page(self, grade: Grade) -> tuple[Path | None, str]:
        """Where it is, and why there is none: a verdict that was reached is told in any case."""
        if self.html is None:
            return None, ""
        if self.single and self.html.suffix:
            target = self.html
        else:
            stem = f"{Path(grade.submission_name).stem}-{grade.submission_sha256[:8]}"
            again = self.names[stem]
            self.names[stem] += 1
            target = self.html / f"{stem}{f'-{again + 1}' if again else ''}.html"
        try:
            return write_page(grade, target, staff=self.staff), ""
        except OSError as error:
            return None, f"{target}: {error.strerror}"


def _receive(work: Assignment, files: tuple[Path, ...]) -> tuple[list[Submission], list[str]]:
    """What could be taken in, and why the rest was refused: one bad file does not stop a class."""
    taken, refused = [], []
    for file in files:
        try:
            taken.append(receive(file, work.limits.submission_kb, work.slug))
        except SubmissionError as error:
            refused.append(f"{file.name}: refused: {error}")
    return taken, refused


def _one(node: Node, work: Assignment, submission: Submission, seed: str, only: str, *, quiet: bool) -> Grade:
    console = Console(stderr=True, quiet=quiet)
    with _following(console, work) as say:
        return node.grade(work, submission, seed=seed, only=only, say=say)


@contextmanager
def _following(console: Console, work: Assignment) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A line that changes; outside a terminal one line, where there is a wait: else it looks as if the program hung."""
    waited = False
    with console.status(f"{work.slug}: starting") as status:

        def say(message: dict[str, Any]) -> None:
            nonlocal waited
            words = f"{work.slug}: {terminal.news(message)}"
            status.update(words)
            if message.get("phase") == "waits" and not (console.is_terminal or waited):
                waited = True
                console.print(words, soft_wrap=True)

        yield say


def _many(node: Node, work: Assignment, submissions: list[Submission], output: _Output) -> None:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    hidden = output.as_json and output.console.is_terminal
    with Progress(
        *columns, console=output.notes, transient=True, disable=hidden, redirect_stdout=False, redirect_stderr=False
    ) as progress:
        task = progress.add_task(work.slug, total=len(submissions))

        def say(index: int, message: dict[str, Any]) -> None:
            progress.update(task, description=f"{terminal.plain(submissions[index].name)}: {terminal.news(message)}")

        for _, result in node.grade_many(work, submissions, say):
            output.tell(result)
            progress.advance(task)


@click.command()
@click.argument("assignment")
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check(assignment: str, file: Path | None) -> None:
    """Run ASSIGNMENT's public checks on FILE (default: the notebook in the folder), in place, for students.

    The same checks and messages as in the grading; not isolated, not timed, not recorded. Exits 1 where one is missed.
    """
    work = exercise(assignment)
    target = file or work.folder / f"{work.slug}.ipynb"
    if not any(c.public for c in work.criteria):
        raise CourseError(work.slug, "has no public checks")
    submission = receive(target, work.limits.submission_kb)
    with Node(Options(kind="subprocess", pairs=1)) as node, _following(Console(stderr=True), work) as say:
        result = node.grade(work, submission, public_only=True, say=say)
    terminal.show(result, Console())
    if any(c.verdict.fault is Fault.STUDENT for c in result.criteria):
        sys.exit(EXIT_MISSED)
    if result.ours:
        sys.exit(EXIT_OURS)
