"""`autograder showcase new | check | verify | build`: final projects, their claims re-run, and the page of all of them."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from autograder.api import AutograderError, CourseError, Node, Options, SubmissionError
from autograder.cli import EXIT_OURS
from autograder.cli.choices import SANDBOX
from autograder.course.load import course_folder
from autograder.course.programme import Programme, load_programme
from autograder.course.project import FILE, read_project
from autograder.domain.project import TOLERANCE, Measured, Project, Standing
from autograder.report import terminal
from autograder.report.showcase import SIGNS, WORDS, Exhibit, exhibit, write_site

_COLOURS = {"✓": "green", "✗": "red", "…": "yellow"}
_PROJECTS = click.argument("projects", nargs=-1, required=True, metavar="PROJECT...", type=click.Path(path_type=Path))
Read = tuple[Project, dict[str, bytes]]


@click.group()
def showcase() -> None:
    """Final projects: begin one, check its file, measure its claims again, build the page of all of them.

    A PROJECT is a folder, a .zip or a .tar.gz with a project.toml in it.
    """


@showcase.command()
@click.argument("name", type=click.Path(path_type=Path))
def new(name: Path) -> None:
    """Begin a project in the folder NAME from an example that can be measured at once."""
    source = course_folder() / "final_project" / "example"
    if not (source / FILE).is_file():
        raise CourseError(str(source), "the course ships no example; set AUTOGRADER_COURSE_FOLDER")
    if name.exists():
        raise click.UsageError(f"{name} exists; nothing was changed")
    shutil.copytree(source, name, ignore=shutil.ignore_patterns("__pycache__"))
    click.echo(f"{name}: edit {FILE}, then: autograder showcase check {name}; autograder showcase verify {name}")


@showcase.command()
@_PROJECTS
def check(projects: tuple[Path, ...]) -> None:
    """Read each PROJECT as the grader will, and print what it claims. Runs nothing."""
    console = Console()
    for project, files in _all(projects):
        console.print(f"[bold]{terminal.plain(project.title)}[/]  {project.slug}, {len(files)} files", highlight=False)
        named = ", ".join(map(terminal.plain, project.named)) or "nobody"
        console.print(f"team of {len(project.team)}; named in public: {named}", highlight=False)
        for key, target in project.links.items():
            console.print(f"{key}: {terminal.plain(target)}", highlight=False, soft_wrap=True)
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for column in ("claim", "speedup", "programs", "inputs"):
            table.add_column(column, overflow="fold")
        for c in project.claims:
            inputs = ", ".join(f"{name} {'×'.join(map(str, d.shape)) or d.how}" for name, d in c.inputs.items())
            cores = f"{c.resources.cores} core{'s' * (c.resources.cores > 1)}"
            pair = f"{c.program} against {c.baseline}, {cores}, {c.kind}"
            table.add_row(c.id, f"{c.speedup:g}×", terminal.plain(pair), inputs)
        console.print(table)


@showcase.command()
@_PROJECTS
@click.option(
    "--to", "target", type=click.Path(path_type=Path), default=Path("results"), show_default=True,
    help="Folder for a JSON file per project; one of the same name is replaced.",
)  # fmt: skip
@click.option("--only", default="", metavar="CLAIM", help="Measure this claim alone, and write nothing.")
@click.option("--quick", is_flag=True, help="One process pair per duel instead of two.")
@SANDBOX
def verify(projects: tuple[Path, ...], target: Path, only: str, quick: bool, sandbox: str) -> None:
    """Measure every claim of each PROJECT again: its program against its own baseline, in containers, on fresh inputs.

    A claim is verified when the whole measured interval lies within 15 % of it. Exits 3 if a claim could not be measured for
    reasons that are ours.
    """
    read = _all(projects)
    if only and not any(c.id == only for p, _ in read for c in p.claims):
        known = ", ".join(c.id for p, _ in read for c in p.claims)
        raise click.UsageError(f"--only: no claim is named {only!r}; there are {known}")
    console, ours = Console(), False
    with Node(Options(kind=sandbox, pairs=1 if quick else 2)) as node:
        for project, files in read:
            console.print(f"[bold]{terminal.plain(project.title)}[/]  {project.slug}", highlight=False)
            kept = None if only or sandbox == "subprocess" else target / f"{project.slug}.json"
            found = _measure(node, project, files, only, kept, console)
            ours = ours or any(m.standing is Standing.OURS for m in found)
            if kept is not None:
                Console(stderr=True).print(f"results: {kept}", soft_wrap=True, markup=False, highlight=False)
    if ours:
        sys.exit(EXIT_OURS)


@showcase.command()
@_PROJECTS
@click.option(
    "--results", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path("results"),
    show_default=True, help="Folder that `verify` wrote into.",
)  # fmt: skip
@click.option("--to", "target", type=click.Path(path_type=Path), default=Path("showcase"), show_default=True)
@click.option("--programme", type=click.Path(path_type=Path), help="showcase.toml: title, place, and who speaks when.")
def build(projects: tuple[Path, ...], results: Path, target: Path, programme: Path | None) -> None:
    """Write a site of all PROJECTs that can be published as it is: no script, nothing from elsewhere, no name without consent."""
    read = _all(projects)
    day = load_programme(programme, [p.slug for p, _ in read]) if programme else Programme("Final projects", "", {})
    exhibits = [_exhibit(project, files, results / f"{project.slug}.json", day) for project, files in read]
    for shown in exhibits:
        if not shown.measured:
            slug = shown.project.slug
            click.echo(
                f"warning: {slug}: {results / slug}.json is not of every claim of this version; they are shown as not measured",
                err=True,
            )
    for path in write_site(exhibits, target, day.title, day.place):
        click.echo(path)


def _all(paths: Sequence[Path]) -> list[Read]:
    """Every project, or one error that names all that is wrong."""
    read, refused = [], list[str]()
    for path in paths:
        try:
            read.append(read_project(path))
        except SubmissionError as error:
            refused.append(str(error))
    slugs = [p.slug for p, _ in read]
    refused += [
        f"two projects are named {s!r}; name their folders apart" for s in {s for s in slugs if slugs.count(s) > 1}
    ]
    if refused:
        raise SubmissionError("\n".join(refused))
    return read


def _measure(
    node: Node, project: Project, files: dict[str, bytes], only: str, kept: Path | None, console: Console
) -> list[Measured]:
    """Its claims in turn, printed and written as they come: whatever ends a long evening, those that were measured are there."""
    from autograder.engine.claims import measure

    found, machine = list[Measured](), dict[str, Any]()
    for claim in project.claims:
        if only not in ("", claim.id):
            continue
        notes = Console(stderr=True)
        with notes.status(f"{claim.id}: starting") as status:
            try:
                one, grade = measure(
                    node,
                    project,
                    files,
                    claim,
                    lambda news, c=claim: status.update(f"{c.id}: {terminal.news(news)}"),  # type: ignore[misc]
                )
                machine = grade.machine
            except CourseError as error:  # a claim's inputs do not fit its declaration, say
                one = Measured(claim.id, claim.speedup, Standing.FAILED, words=str(error))
            except AutograderError as error:
                one = Measured(claim.id, claim.speedup, Standing.OURS, words=str(error))
        found.append(one)
        _show(one, console)
        if kept is not None:
            _write(kept, project, found, machine)
    return found


def _show(one: Measured, console: Console) -> None:
    sign = SIGNS[one.standing]
    words = f"[{_COLOURS[sign]}]{sign} {one.standing}[/]  [bold]{one.claim}[/]  claimed {one.claimed:g}×"
    if one.ratios:
        low, high = one.interval
        words += f", measured {one.speedup:.3g}× ({low:.3g} to {high:.3g}, {len(one.ratios)} rounds, ±{TOLERANCE:.0%} agrees)"
    console.print(words, highlight=False, soft_wrap=True)
    if one.standing is not Standing.VERIFIED:
        console.print(f"   {WORDS[one.standing]}", highlight=False)
    for line in filter(None, one.words.splitlines()):
        console.print(f"   [dim]{terminal.plain(line)}[/]", highlight=False, soft_wrap=True)


def _write(path: Path, project: Project, found: list[Measured], machine: dict[str, Any]) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "project": project.slug, "sha256": project.sha256, "measured_at": datetime.now(UTC).isoformat(),
        "machine": machine, "claims": [m.to_json() for m in found],
    }  # fmt: skip
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content, indent=1, default=str) + "\n", encoding="utf-8")
    fresh.replace(path)


def _exhibit(project: Project, files: dict[str, bytes], path: Path, day: Programme) -> Exhibit:
    """A project with its results, where they are of this version and of every claim."""
    measured, when, machine = list[Measured](), None, dict[str, Any]()
    if path.is_file():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["sha256"] == project.sha256:
                measured = [Measured.from_json(m) for m in found["claims"]]
                when, machine = datetime.fromisoformat(found["measured_at"]), dict(found["machine"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CourseError(str(path), f"was not written by `showcase verify`: {error!r}") from error
    return exhibit(project, files, measured, when, machine, day)
