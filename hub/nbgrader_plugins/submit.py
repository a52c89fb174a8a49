"""`nbgrader submit` and `nbgrader collect` over HTTP."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange.abc import ExchangeCollect as CollectAPI
from nbgrader.exchange.abc import ExchangeError
from nbgrader.exchange.abc import ExchangeSubmit as SubmitAPI
from nbgrader.utils import find_all_notebooks, parse_utc

from autograder.api import SubmissionError, unpack
from hub.nbgrader_plugins.archive import MAX_BYTES, ArchiveError, write
from hub.nbgrader_plugins.exchange import HttpExchange, notebook_ids
from hub.nbgrader_plugins.stand_in import stand_in

STAMP = "timestamp.txt"  # beside what was handed in: which submission it is


class Submit(HttpExchange, SubmitAPI):
    """`nbgrader submit`, and the button of the Assignment List; grading starts at once."""

    def init_src(self) -> None:
        """The folder of the assignment; a path given instead of a name is understood, as nbgrader does."""
        wanted = self.coursedir.assignment_id
        self.source = self.local(self.coursedir.course_id, wanted)
        self.coursedir.assignment_id = self.source.name
        if not self.source.is_dir():
            self.not_found(wanted, [p.name for p in self.source.parent.glob("*") if p.is_dir()])

    def init_dest(self) -> None:
        """The course must be ours, and the student the one whom the service knows."""
        self.course = self.need_course()
        self.need_access()
        self.student = self.one_student()
        known = self.ask("GET", "me")["name"]
        if self.coursedir.student_id in ("", "*"):
            self.student = known
        elif self.student != known:
            self.refuse(f"You are {known}, and cannot submit for {self.student}.")

    def copy_files(self) -> None:
        """Sends the folder, then keeps it in the cache under the time of the service's receipt."""
        wanted = self.coursedir.assignment_id
        known = self.released(self.course)
        if wanted not in known:
            self.refuse(f"Assignment not found: {wanted}")
        self.compare(notebook_ids(known[wanted]))
        self.log.info("Source: %s", self.source)
        raw = self.packed(self.source, outputs=False)
        answer = self.ask("POST", "exchange", self.course, "submitted", wanted, content=raw)
        self.timestamp = answer["stamp"]
        kept = Path(self.cache) / self.course / f"{self.student}+{wanted}+{self.timestamp}"
        kept.parent.mkdir(parents=True, exist_ok=True)
        if kept.exists():
            shutil.rmtree(kept)
        self.chosen_files(self.source, kept)
        (kept / "timestamp.txt").write_text(self.timestamp, encoding="utf-8")
        (kept / "receipt.txt").write_text(str(answer["receipt"]["id"]), encoding="utf-8")
        self.log.info(
            "Submitted as: %s %s %s (receipt %s)", self.course, wanted, self.timestamp, answer["receipt"]["id"]
        )

    def compare(self, expected: list[str]) -> None:
        """nbgrader's check for missing and extra notebooks; missing ones are refused with --strict."""
        submitted = [name.removesuffix(".ipynb") for name in find_all_notebooks(str(self.source))]
        missing = [name for name in expected if name not in submitted]
        extra = [name for name in submitted if name not in expected]
        if not missing and not extra:
            return
        shown = "Expected:\n\t{}\nSubmitted:\n\t{}".format(
            "\n\t".join(f"{n}.ipynb: {'MISSING' if n in missing else 'FOUND'}" for n in expected),
            "\n\t".join(f"{n}.ipynb: {'EXTRA' if n in extra else 'OK'}" for n in submitted),
        )
        wanted = self.coursedir.assignment_id
        if missing and self.strict:
            self.refuse(f"Assignment {wanted} not submitted. There are missing notebooks for the submission:\n{shown}")
        self.log.warning(
            "Possible missing notebooks and/or extra notebooks submitted for assignment %s:\n%s", wanted, shown
        )


class Collect(HttpExchange, CollectAPI):
    """`nbgrader collect`: the newest submission of each student into `submitted/`."""

    def init_src(self) -> None:
        """Which submission of each student counts."""
        self.course = self.need_course()
        wanted, student = self.coursedir.assignment_id, self.coursedir.student_id
        rows = self.ask(
            "GET",
            "exchange",
            self.course,
            "submitted",
            assignment=wanted,
            student="" if student in ("", "*") else student,
        )
        students: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            students.setdefault(row["student"], []).append(row)
        due = self.due() if self.before_duedate else None
        self.records = [self.counts(found, due) for _, found in sorted(students.items())]

    def due(self) -> datetime | None:
        """The due date that the gradebook holds."""
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                found: datetime | None = gradebook.find_assignment(self.coursedir.assignment_id).duedate
            except MissingEntry:
                found = None
        return found

    @staticmethod
    def counts(rows: list[dict[str, Any]], due: datetime | None) -> dict[str, Any]:
        """The newest one; with a due date, the newest before it if there is any."""
        newest = sorted(rows, key=lambda row: parse_utc(row["stamp"]), reverse=True)
        timely = [row for row in newest if due is None or parse_utc(row["stamp"]) <= due]
        return (timely or newest)[0]

    def init_dest(self) -> None:
        """Nothing to find out before a student is known."""

    def copy_files(self) -> None:
        """Writes what is new; what is there stays unless --update finds a newer one."""
        wanted = self.coursedir.assignment_id
        if not self.records:
            self.log.warning("No submissions of '%s' for course '%s' to collect", wanted, self.course)
        else:
            self.log.info("Processing %d submissions of '%s' for course '%s'", len(self.records), wanted, self.course)
        for row in self.records:
            try:
                self.collect(row, wanted)
            except (ExchangeError, OSError) as error:  # the others are collected all the same
                self.log.error("Not collected: %s %s: %s", row["student"], wanted, error)

    def collect(self, row: dict[str, Any], wanted: str) -> None:
        """One student's, if it is new."""
        target = Path(self.coursedir.format_path(self.coursedir.submitted_directory, row["student"], wanted))
        if not target.is_dir():
            self.log.info("Collecting submission: %s %s", row["student"], wanted)
            self.take(row, target)
        elif self.is_newer(row, target):
            self.log.info("Updating submission: %s %s", row["student"], wanted)
            self.take(row, target)
        elif self.update:
            self.stand_in(target, row)  # it may have been collected before its notebook was released
            self.log.info("No newer submission to collect: %s %s", row["student"], wanted)
        else:
            self.log.info("Submission already exists, use --update to update: %s %s", row["student"], wanted)

    def is_newer(self, row: dict[str, Any], target: Path) -> bool:
        """Whether nbgrader's flags ask for this one instead of what is there."""
        there = self.coursedir.get_existing_timestamp(str(target))
        stamp = parse_utc(row["stamp"])
        if self.update and (there is None or stamp > there):
            return True
        return bool(self.before_duedate and there != stamp)

    def take(self, row: dict[str, Any], target: Path) -> None:
        """One submission: downloaded whole first, so that what is there is gone only when the new one has come."""
        raw = self.ask("GET", "exchange", self.course, "submitted", row["assignment"], row["student"], row["stamp"])
        fresh = target.with_name(f".{target.name}.fresh")
        shutil.rmtree(fresh, ignore_errors=True)
        try:  # read as the judge reads it, by its name
            files = unpack(row["name"], raw, MAX_BYTES >> 10)
            lone = {".ipynb": f"{row['assignment']}.ipynb", ".py": "solution.py"}.get(Path(row["name"]).suffix)
            if lone is not None:  # handed in by the page or the command line, as one file
                files = {lone: raw}
            write({name: content for name, content in files.items() if Path(name).parts[0] != STAMP}, fresh)
        except (SubmissionError, ArchiveError) as error:
            self.refuse(str(error))
        self.stand_in(fresh, row)
        (fresh / STAMP).write_text(row["stamp"], encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)

    def stand_in(self, folder: Path, row: dict[str, Any]) -> None:
        """nbgrader looks for a notebook of the released name; who handed in none gets one."""
        place = self.coursedir.format_path(self.coursedir.release_directory, ".", row["assignment"])
        made_of = stand_in(folder, Path(place))
        if made_of:
            self.log.info("No notebook of the released name: %s of %s stands in", made_of, row["student"])
