"""What `%autograde` does: find the assignment and its saved notebook, have it checked, show the verdict."""

from __future__ import annotations

import argparse
import html
import shlex
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from autograder.api import AutograderError, Fault, Node, Options, Verdict, find, load, receive
from hub.nbgrader_plugins.client import FINAL, Service, ServiceError

connect: Callable[[], Service] = Service  # the one seam: tests put their own here
WAIT_S = 900.0
_SAVE = "Save the notebook first: the saved file is what is checked."
_PHASES = {
    "queued": "waiting in the queue",
    "load": "loading your code",
    "check": "checking",
    "duel": "measuring",
    "retry": "trying again, at no cost to you",
    "recorded": "done",
}
# of what has ended without a grade
_ENDED = {
    "needs-staff": "It is with the course's staff now, and not in the queue any more.",
    "waiting-for-hardware": "It is measured by itself once a machine with the hardware that it needs is there.",
    "refused": "It is not graded.",
}
_FAULTS = {str(v): v.fault for v in Verdict}


@dataclass(frozen=True, slots=True)
class Shown:
    """A verdict that Jupyter shows as a table, and a terminal as text.

    Attributes:
        heading: one line above the table.
        rows: verdict, title, sentence, points and most points.
        page: the whole report, or nothing.
    """

    heading: str
    rows: tuple[tuple[str, str, str, float, float], ...]
    page: str = ""

    def __repr__(self) -> str:
        lines = [self.heading]
        for verdict, title, sentence, points, most in self.rows:
            lines.append(f"{_fault(verdict).mark} {title} [{verdict}] {points:g}/{most:g}: {sentence}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cell = "<td style='text-align: left; vertical-align: top'>{}</td>"
        rows = "".join(
            "<tr>"
            + "".join(
                cell.format(html.escape(text))
                for text in (f"{_fault(v).mark} {v}", title, sentence, f"{points:g} of {most:g}")
            )
            + "</tr>"
            for v, title, sentence, points, most in self.rows
        )
        names = "".join(
            f"<th style='text-align: left'>{n}</th>" for n in ("Verdict", "Check", "What it says", "Points")
        )
        table = f"<p><b>{html.escape(self.heading)}</b></p><table><thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>"
        if not self.page:
            return table
        frame = f'<iframe title="Report" sandbox srcdoc="{html.escape(self.page, quote=True)}" style="width:100%;height:40em;border:0"></iframe>'
        return f"{table}<details><summary>The whole report</summary>{frame}</details>"


def _fault(verdict: str) -> Fault:
    """Whose it is; a newer service may know verdicts that are not known here."""
    return _FAULTS.get(verdict, Fault.STUDENT)


def _undecided(verdicts: Iterable[str]) -> str:
    """How many say nothing about the code, for a heading."""
    number = sum(_fault(v) is Fault.OURS for v in verdicts)
    return f"; {number} not decided, which is not your fault" if number else ""


class _Words(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"%autograde: {message}")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise ValueError(message or "")


def autograde(line: str = "") -> Shown | None:
    """`%autograde [ASSIGNMENT] [--file FILE] [--remote]`; the assignment is that of this folder if none is named."""
    words = _Words(prog="%autograde", add_help=False)
    words.add_argument("assignment", nargs="?", default=".")
    words.add_argument("--file", type=Path)
    words.add_argument("--remote", action="store_true")
    try:
        chosen = words.parse_args(shlex.split(line))
        place, file = _target(chosen.assignment, chosen.file)
        return _remote(place.name, file) if chosen.remote else _here(place, file)
    except (AutograderError, ServiceError, ValueError) as error:
        _say(str(error))
        return None


def _target(name: str, file: Path | None) -> tuple[Path, Path]:
    """The assignment's folder and the file to check."""
    place = find(str(Path(name).resolve()) if Path(name).is_dir() else name)
    chosen = file or place / f"{place.name}.ipynb"
    if not chosen.is_file():
        raise ValueError(f"{chosen} is missing. {_SAVE}")
    return place, chosen


def _here(place: Path, file: Path) -> Shown | None:
    """Public checks in this container: the same messages as in the grading; not timed, not recorded."""
    work = load(place)
    if not any(c.public for c in work.criteria):
        _say(f"{work.title} has no public checks; try %autograde --remote")
        return None
    submission = receive(file, work.limits.submission_kb)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # one's own code with one's own rights is no news here
        node = Node(Options(kind="subprocess", pairs=1))
    with node:
        grade = node.grade(work, submission, public_only=True)
    rows = tuple((str(c.verdict), c.title, c.sentence, c.points, c.max_points) for c in grade.criteria)
    passed = sum(row[0] == "passed" for row in rows)
    said = f"{passed} of {len(rows)} public checks passed{_undecided(row[0] for row in rows)}"
    return Shown(f"{work.title}: {said}. {_SAVE}", rows)


def _remote(slug: str, file: Path) -> Shown | None:
    """The public checks and a short duel on a real node, from the same queue; recorded as a try, never as a grade."""
    with connect() as service:
        answer = service.json(
            "POST", "assignments", slug, "submissions", content=file.read_bytes(), purpose="try", filename=file.name
        )
        number = str(answer["receipt"]["submission"])
        _say(f"{slug}: taken in as try {number}")
        last = ""

        def say(news: dict[str, Any]) -> None:
            nonlocal last
            phase = str(news.get("phase", ""))
            if phase != last:
                last = phase
                _say(f"{slug}: {_PHASES.get(phase, phase)}")

        entry = service.wait(number, WAIT_S, say)
        if not entry.get("grade"):
            _say(f"{slug}: try {number} is {entry['state']}. {_without_grade(entry)}")
            return None
        report = service.send("GET", "submissions", number, "report").text
    criteria = entry["grade"]["criteria"]
    rows = tuple((c["verdict"], c["title"], c["sentence"], c["points"], c["max_points"]) for c in criteria)
    said = f"{entry['score']:g} of {entry['max_score']:g} points{_undecided(row[0] for row in rows)}"
    return Shown(f"{slug}: a try, not a grade: {said}", rows, report)


def _without_grade(entry: dict[str, Any]) -> str:
    """What happened to it, and what will."""
    ahead = "It keeps its place in the queue." if entry["state"] not in FINAL else _ENDED.get(entry["state"], "")
    return " ".join(filter(None, (entry.get("problem", ""), ahead)))


def _say(words: str) -> None:
    print(words)  # noqa: T201  # a magic talks to the notebook
