"""`autograder course list | validate | release | new`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from autograder.api import (
    Assignment,
    CourseError,
    Term,
    all_folders,
    exercise,
    load,
    load_term,
    project_folders,
    release,
    term_file,
)
from autograder.cli.choices import SANDBOX
from autograder.cli.ladder import ladder
from autograder.course.load import course_folder
from autograder.course.mutants import mutants
from autograder.course.tables import SLUG
from autograder.report import terminal


@click.group()
def course() -> None:
    """Assignments: list them, prove that they keep their promises, make student copies, begin a new one."""


@course.command("list")
def list_() -> None:
    """Print the term: every assignment with its dates, weight, points and tiers, and what being late costs."""
    folders, term = [*all_folders(), *project_folders()], load_term(term_file())
    everything = [load(folder) for folder in folders]
    if term and (unknown := set(term.slots) - {a.slug for a in everything}):
        raise CourseError(f"{term_file()}: assignments.{min(unknown)}", "there is no such folder")
    title = f"{term.title}, {term.name}" if term else f"{course_folder()}"
    table = Table(title=terminal.plain(title), title_justify="left", show_lines=True)
    dates = ("released,\ndue", "of the\nmark") if term else ()
    table.add_column("assignment", width=max((len(a.slug) for a in everything), default=0))
    for column in (*dates, "automatic\n+ written", "tiers"):
        table.add_column(column, justify="right" if column.endswith("mark") else "left")
    for a in sorted(everything, key=lambda a: (a.slug.startswith("_"), _day(term, a.slug, "released"))):
        tiers = "\n".join(", ".join(f"{t.threshold:g}×" for t in c.tiers) for c in a.criteria if c.tiers)
        share = f"{100 * term.share(a.slug):.3g} %" if term and a.slug in term.slots else "–"
        days = [_day(term, a.slug, key) for key in ("released", "due")]
        when = ("\n".join(filter(None, days)) or "–", share) if term else ()
        lectures = f"lecture{'s' if ',' in a.lecture else ''} {terminal.plain(a.lecture)} · {a.kind}"
        if a.project:
            lectures, tiers = "teams' own work", "its claims"
        about = f"[bold]{a.slug}[/]\n{terminal.plain(a.title)}\n[dim]{lectures}[/]"
        table.add_row(about, *when, f"{a.max_score:g} + {a.written_points:g}", tiers)
    Console().print(table)
    if term:
        shares = ", ".join(f"{terminal.plain(name)} {100 * share:.3g} %" for name, share in term.shares.items())
        late = term.late
        click.echo(f"The mark: {shares}.")
        click.echo(
            f"Late: from {late.grace_s / 60:g} minutes on, {100 * late.per_day:g} % of all points for every day begun; "
            f"after {late.days} days nothing is taken in. Times are of {term.timezone}."
        )


def _day(term: Term | None, slug: str, key: str) -> str:
    """A date of the calendar, or nothing."""
    slot = term.slots.get(slug) if term else None
    return f"{getattr(slot, key):%Y-%m-%d}" if slot else ""


@course.command("release")
@click.argument("assignment")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    default=Path("release"),
    show_default=True,
    help="Folder to write into.",
)
def release_(assignment: str, target: Path) -> None:
    """Write the student's copy of ASSIGNMENT: an allow-listed tree, solutions stripped, nothing hidden."""
    for path in release(exercise(assignment), target):
        click.echo(path)


@course.command("new")
@click.argument("name")
def new(name: str) -> None:
    """Begin an assignment called NAME from the tested template."""
    if not SLUG.fullmatch(name.lstrip("_")):
        raise CourseError(name, "must be 1 to 64 lower-case letters, digits and underscores, and begin with a letter")
    template, target = course_folder() / "_template", course_folder() / name
    if target.exists():
        raise CourseError(str(target), "exists already")
    if not template.is_dir():
        raise CourseError(str(template), "is not there: run this where assignments/ with its template is")
    shutil.copytree(template, target, ignore=shutil.ignore_patterns("__pycache__"))
    (target / "_template.ipynb").rename(target / f"{name}.ipynb")
    load(target)
    click.echo(
        f"{target}\nnow edit assignment.toml, the notebook and the checks, give it a place in {term_file()}, "
        f"then run: autograder course validate {name}"
    )


@course.command("mutant")
@click.argument("assignment")
@click.argument("name", required=False)
def mutant_(assignment: str, name: str | None) -> None:
    """List the mutants of ASSIGNMENT with what is wrong with them, or print the program of one, ready to be graded."""
    everybody = mutants(exercise(assignment))
    if name is None:
        for m in everybody:
            click.echo(f"{m.name}  dies by {m.dies_by}{': ' if m.why else ''}{m.why}")
        return
    found = next((m for m in everybody if m.name == name), None)
    if found is None:
        raise CourseError(name, f"no such mutant; there are {', '.join(m.name for m in everybody)}")
    click.echo(found.source, nl=False)


@course.command("validate")
@click.argument("assignments", nargs=-1)
@click.option(
    "--quick",
    is_flag=True,
    help="For CI: one process pair per duel, one of the solutions, and no mutants that die by time; what is left out is said.",
)
@click.option(
    "--times",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Grade every solution and every mutant so often; each time must agree.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the counts into the table of this file, between its marks; rows of other folders stay.",
)
@SANDBOX
def validate_(assignments: tuple[str, ...], quick: bool, times: int, output: Path | None, sandbox: str) -> None:
    """Prove that every folder (or those named) keeps its promises; exits 1 if any does not."""
    from autograder.cli.promise import PROMISES, table
    from autograder.cli.validation import validate

    console = Console()
    if output is not None and quick:
        raise CourseError("--output", "a table holds what was graded whole; leave --quick out")
    before = PROMISES.read(output) if output is not None else ""
    chosen: list[Assignment] = [exercise(a) for a in assignments] or [load(f) for f in all_folders()]
    tallies = []
    for assignment in chosen:
        tallies.append(validate(assignment, console, quick=quick, times=times, sandbox=sandbox))
        if output is not None:  # whatever stops it costs no more than one folder
            PROMISES.write(output, table(tallies, before))
    if times > 1:
        click.echo(table(tallies))
    failed = [t.slug for t in tallies if not t.kept]
    if failed:
        console.print(f"[red]✗ {', '.join(failed)}[/]")
        sys.exit(1)
    console.print(f"[green]✓ {len(chosen)} assignments keep their promises[/]")


course.add_command(ladder)
