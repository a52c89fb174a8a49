"""`autograder demo`: a sample class, graded live."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.api import SAMPLE_CLASS, Grade, Node, Options, Pupil, exercise, receive, write_page
from autograder.report import terminal
from autograder.report.page import write_index


@click.command()
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    default=Path("build/demo"),
    show_default=True,
    help="Folder for the reports.",
)
@click.option("--quick", is_flag=True, help="One process pair per duel instead of two.")
def demo(target: Path, quick: bool) -> None:
    """Grade a sample class over the first assignments (fast, slow, wrong, cheating), live, with an HTML report."""
    console = Console()
    board = [""] * len(SAMPLE_CLASS)
    results: list[tuple[Pupil, Grade, Path]] = []
    progress = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    task = progress.add_task("sample class", total=len(SAMPLE_CLASS))
    begun = time.perf_counter()
    with Node(Options(pairs=1 if quick else 2)) as node, Live(console=console, refresh_per_second=8) as live:
        for i, student in enumerate(SAMPLE_CLASS):
            work = exercise(student.assignment)
            submission = receive(student.file(work), work.limits.submission_kb)

            def say(message: dict[str, Any], i: int = i) -> None:
                board[i] = terminal.news(message)
                live.update(Group(_table(results, board), progress))

            grade = node.grade(work, submission, say=say)
            page = write_page(grade, target / f"{i + 1:02d}-{student.assignment}.html", staff=True)
            results.append((student, grade, page))
            progress.advance(task)
            live.update(Group(_table(results, board), progress))
    index = write_index([(_who(s), g, p.name) for s, g, p in results], target / "index.html", "Sample class")
    console.print(
        f"graded {len(results)} submissions in {time.perf_counter() - begun:.0f} s; reports: {index.resolve()}",
        soft_wrap=True,
    )


def _table(results: list[tuple[Pupil, Grade, Path]], board: list[str]) -> Table:
    table = Table(title="Sample class", title_justify="left", pad_edge=False)
    for column in ("Student", "Assignment", "Points", "Speed", "Verdict"):
        table.add_column(column, justify="right" if column == "Points" else "left", overflow="fold")
    for student, grade, _ in results:
        bad = list(dict.fromkeys(c.verdict for c in grade.criteria if c.verdict not in ("passed", "not-measured")))
        duels = [c.duel for c in grade.criteria if c.duel is not None and c.duel.counted]
        speed = ", ".join(f"{d.speedup:.3g}× [{d.interval[0]:.3g}, {d.interval[1]:.3g}]" for d in duels)
        words = " ".join(terminal.verdict(v) for v in bad) or "[green]✓ passed[/]"
        table.add_row(_who(student), student.assignment, f"{grade.score:g} / {grade.max_score:g}", speed or "–", words)
    for student, words in list(zip(SAMPLE_CLASS, board, strict=True))[len(results) : len(results) + 1]:
        table.add_row(_who(student), student.assignment, "", "", f"[dim]{words}[/]")
    return table


def _who(pupil: Pupil) -> str:
    return f"{pupil.name.capitalize()}: {pupil.about}"
