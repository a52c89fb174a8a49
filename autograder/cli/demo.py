"""`autograder demo`: a sample class, graded live."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.api import Assignment, Grade, Node, Options, find, load, receive, write_page
from autograder.report import terminal
from autograder.report.page import write_index


@dataclass(frozen=True, slots=True)
class Student:
    """One of the sample class: who, what, and which file of the course plays their part."""

    name: str
    assignment: str
    file: str


_CLASS = (
    Student("Ada: tiles in Numba", "a02_bifurcation", "@2"),
    Student("Bob: window off by one", "a02_bifurcation", "mutants/window_one_late.py"),
    Student("Cem: a table of answers", "a02_bifurcation", "mutants/precomputed_table.py"),
    Student("Dag: threads", "a03_bifurcation_parallel", "@1"),
    Student("Eva: a race", "a03_bifurcation_parallel", "mutants/race.py"),
    Student("Fay: fused in Numba", "a04_heat_plate", "@2"),
    Student("Gil: C through cffi", "a04_heat_plate", "@1"),
    Student("Hua: NumPy temporaries", "a04_heat_plate", "mutants/temporaries.py"),
    Student("Ivo: changes its input", "a04_heat_plate", "mutants/mutates_input.py"),
    Student("Jin: remembers answers", "a04_heat_plate", "mutants/remembers_the_last_answer.py"),
    Student("Kim: C in lanes of floats", "a16_asian_option", "@1"),
    Student("Lea: invented error bars", "a16_asian_option", "mutants/invented_error.py"),
)


def _file(work: Assignment, name: str) -> Path:
    """`@n` is the assignment's n-th solution."""
    if not name.startswith("@"):
        return work.folder / name
    return sorted((work.folder / "solutions").glob("*.py"))[int(name[1:]) - 1]


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
    board = [""] * len(_CLASS)
    results: list[tuple[Student, Grade, Path]] = []
    progress = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    task = progress.add_task("sample class", total=len(_CLASS))
    begun = time.perf_counter()
    with Node(Options(pairs=1 if quick else 2)) as node, Live(console=console, refresh_per_second=8) as live:
        for i, student in enumerate(_CLASS):
            work = load(find(student.assignment))
            submission = receive(_file(work, student.file), work.limits.submission_kb)

            def say(message: dict[str, Any], i: int = i) -> None:
                board[i] = terminal.news(message)
                live.update(Group(_table(results, board), progress))

            grade = node.grade(work, submission, say=say)
            page = write_page(grade, target / f"{i + 1:02d}-{student.assignment}.html", staff=True)
            results.append((student, grade, page))
            progress.advance(task)
            live.update(Group(_table(results, board), progress))
    index = write_index([(s.name, g, p.name) for s, g, p in results], target / "index.html", "Sample class")
    console.print(
        f"graded {len(results)} submissions in {time.perf_counter() - begun:.0f} s; reports: {index.resolve()}",
        soft_wrap=True,
    )


def _table(results: list[tuple[Student, Grade, Path]], board: list[str]) -> Table:
    table = Table(title="Sample class", title_justify="left", pad_edge=False)
    for column in ("Student", "Assignment", "Points", "Speed", "Verdict"):
        table.add_column(column, justify="right" if column == "Points" else "left", overflow="fold")
    for student, grade, _ in results:
        bad = list(dict.fromkeys(c.verdict for c in grade.criteria if c.verdict not in ("passed", "not-measured")))
        duels = [c.duel for c in grade.criteria if c.duel is not None and c.duel.counted]
        speed = ", ".join(f"{d.speedup:.3g}× [{d.interval[0]:.3g}, {d.interval[1]:.3g}]" for d in duels)
        words = " ".join(terminal.verdict(v) for v in bad) or "[green]✓ passed[/]"
        table.add_row(student.name, student.assignment, f"{grade.score:g} / {grade.max_score:g}", speed or "–", words)
    for student, words in list(zip(_CLASS, board, strict=True))[len(results) : len(results) + 1]:
        table.add_row(student.name, student.assignment, "", "", f"[dim]{words}[/]")
    return table
