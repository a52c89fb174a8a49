"""`nbgrader release_feedback` and `nbgrader fetch_feedback` over HTTP."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeError
from nbgrader.exchange.abc import ExchangeFetchFeedback as FetchFeedbackAPI
from nbgrader.exchange.abc import ExchangeReleaseFeedback as ReleaseFeedbackAPI

from hub.nbgrader_plugins.archive import ArchiveError, pack
from hub.nbgrader_plugins.exchange import HttpExchange

DIGEST = ".sha256"  # beside fetched feedback: which version of it this is


class ReleaseFeedback(HttpExchange, ReleaseFeedbackAPI):
    """Sends each student's HTML, keyed by the time of the submission that it is about."""

    def init_src(self) -> None:
        """Students' feedback folders, as nbgrader names them."""
        place = self.coursedir.format_path
        named = self.coursedir.student_id or "*"
        wanted = self.coursedir.assignment_id
        pattern = re.compile(place(self.coursedir.feedback_directory, "(?P<student>[^/]*)", wanted, escape=True))
        root = Path(self.coursedir.root)
        glob = Path(place(self.coursedir.feedback_directory, named, wanted)).relative_to(root)
        self.folders: dict[str, Path] = {}
        for folder in sorted(root.glob(str(glob))):
            match = pattern.fullmatch(str(folder))
            if match is not None and folder.is_dir():
                self.folders[match["student"]] = folder

    def init_dest(self) -> None:
        """The course must be named."""
        self.course = self.need_course()

    def copy_files(self) -> None:
        """Sends HTML files and nothing else that may lie beside them."""
        left_out = set(filter(None, str(self.coursedir.student_id_exclude).split(",")))
        wanted, failed = self.coursedir.assignment_id, list[str]()
        for student, folder in self.folders.items():
            pages = sorted(folder.glob("*.html"))
            stamp = folder / "timestamp.txt"
            if student in left_out or not pages:
                self.log.debug("Skipping student '%s'", student)
                continue
            if not stamp.is_file():
                self.log.error("No timestamp beside the feedback in %s; collect and autograde again", folder)
                continue
            when = stamp.read_text(encoding="utf-8").strip()
            self.log.info(
                "Releasing feedback for student '%s' on assignment '%s/%s' (%s)", student, self.course, wanted, when
            )
            try:
                content = pack(folder, pages)
                self.ask("PUT", "exchange", self.course, "feedback", wanted, student, when, content=content)
            except (ExchangeError, ArchiveError, OSError) as error:  # the others get theirs all the same
                failed.append(f"{student} ({error})")
                self.log.error("Not released: %s %s: %s", student, wanted, error)
        if failed:
            self.refuse(f"Feedback on {wanted} was not released to {', '.join(failed)}")


class FetchFeedback(HttpExchange, FetchFeedbackAPI):
    """Writes feedback to `<assignment>/feedback/<time of submission>/<notebook>.html`."""

    def init_src(self) -> None:
        """What the service has for this student."""
        self.course = self.need_course()
        student = "" if self.coursedir.student_id in ("", "*") else self.one_student()
        self.rows: list[dict[str, Any]] = self.ask(
            "GET", "exchange", self.course, "feedback", assignment=self.one_assignment(), student=student
        )
        if not student:  # staff see everybody's: they, too, fetch their own
            known = self.ask("GET", "me")["name"]
            self.rows = [row for row in self.rows if row["student"] == known]
        if not self.rows:
            self.log.warning("Could not find feedback for '%s/%s'", self.course, self.coursedir.assignment_id or "*")

    def init_dest(self) -> None:
        """Each assignment has its own folder."""

    def copy_files(self) -> None:
        """Downloads what is new or has changed."""
        for row in self.rows:
            folder = self.local(self.course, row["assignment"]) / "feedback" / row["stamp"]
            mark = folder / DIGEST
            if mark.is_file() and mark.read_text(encoding="utf-8") == row["sha256"]:
                self.log.debug("Feedback is up to date: %s", folder)
                continue
            raw = self.ask("GET", "exchange", self.course, "feedback", row["assignment"], row["student"], row["stamp"])
            for path in self.unpacked(raw, folder):
                self.log.info("Fetched feedback: %s", path)
            mark.write_text(row["sha256"], encoding="utf-8")
