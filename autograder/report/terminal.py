"""A grading in the terminal: a table, and progress while it runs. Everything from outside is escaped."""

from __future__ import annotations

import math
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograder.domain.grade import Grade
from autograder.domain.verdict import Fault, Verdict

_STYLE = {Fault.NOBODY: "green", Fault.STUDENT: "red", Fault.OURS: "yellow"}


def plain(text: str) -> str:
    """Without control characters (a student's bytes must not steer a TA's terminal), and without markup."""
    return escape("".join(c if c.isprintable() or c == "\n" else "�" for c in text))


def verdict(code: Verdict) -> str:
    """Coloured, and marked for who sees no colour."""
    return f"[{_STYLE[code.fault]}]{code.fault.mark} {code}[/]"


def show(grade: Grade, console: Console, *, staff: bool = False) -> None:
    """The whole verdict, as a student reads it; for staff with the findings of hidden checks."""
    console.print(f"[bold]{plain(grade.submission_name)}[/]  {grade.assignment}", highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for c in grade.criteria:
        points = f"{c.points:g}/{c.max_points:g}" if c.max_points else ""
        table.add_row(verdict(c.verdict), points, f"[bold]{plain(c.title)}[/]\n{plain(c.sentence)}")
        for finding in c.evidence.get("checks", ()) if staff else ():
            if finding["verdict"] != Verdict.PASSED:
                table.add_row("", "", f"[dim]{plain(finding['name'])}: {plain(finding['detail'])}[/]")
    console.print(table)
    passed = sum(c.verdict is Verdict.PASSED for c in grade.criteria)
    counted = f"[bold]{passed} of {len(grade.criteria)}[/bold] passed; no automatic points;"
    if grade.max_score:
        counted = f"[bold]{grade.score:g} of {grade.max_score:g}[/bold] automatic points in"
    console.print(
        f"{counted} {grade.wall_s:.1f} s ({grade.overhead_s:.1f} s of it not spent in the submission or the reference)"
    )
    if grade.waiting:
        console.print(
            "[yellow]Part of this waits for a machine with a GPU; what could be said without one is above. Nothing is lost.[/]"
        )
    if grade.ours:
        console.print(
            "[yellow]Part of this could not be decided for reasons that are ours; nothing is lost. Run it again on a quiet machine.[/]"
        )


def news(message: dict[str, Any]) -> str:
    """One line of progress.

    A service tells students less than the judge said, and JSON knows no infinity: what is missing is left out.
    """
    criterion, phase = plain(str(message.get("criterion", ""))), message.get("phase")
    if phase == "duel":
        speedup, (low, high) = message.get("speedup"), message.get("interval") or (None, None)
        now = f", {speedup:.3g}×" if speedup is not None else ""
        bounded = low is not None and high is not None and math.isfinite(high)
        return f"{criterion}: round {message.get('rounds', 0)}{now}" + (f" [{low:.3g}, {high:.3g}]" if bounded else "")
    if phase == "check":
        return f"checking {criterion}"
    if phase == "waits":
        return "waiting for other gradings on this machine"
    if phase == "retry":
        problem = plain(str(message.get("problem", "")))[:80]
        return f"trying again ({problem})" if problem else "trying again: something failed on our side"
    return "loading"
