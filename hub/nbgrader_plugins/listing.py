"""`nbgrader list` over HTTP; the Assignment List and Formgrader read its dictionaries.

`--cached` shows what this server keeps of its own submissions together with what the service recorded for the
student, so that a submission whose answer was lost on the way is seen all the same.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeList as ListAPI

from hub.nbgrader_plugins.exchange import HttpExchange, notebook_ids
from hub.nbgrader_plugins.feedback import DIGEST

_CACHED = re.compile(r"(?P<student_id>.*)\+(?P<assignment_id>[^+]*)\+(?P<timestamp>[^+]*)")
Info = dict[str, Any]


class List(HttpExchange, ListAPI):
    """What is released, submitted, or kept here; `remove` withdraws or forgets it."""

    def init_src(self) -> None:
        """Without a course named there is the one that this server belongs to."""
        self.course = str(self.coursedir.course_id or "")

    def init_dest(self) -> None:
        """Nothing."""

    def copy_files(self) -> None:
        """Nothing is copied."""

    def list_files(self) -> list[Info]:
        """The dictionaries, and lines for people."""
        found = self.found()
        if self.inbound or self.cached:
            self.log.info("Submitted assignments:")
            for group in found:
                for info in group["submissions"]:
                    self.log.info(_submitted_line(info))
        else:
            self.log.info("Released assignments:")
            for info in found:
                there = " (already downloaded)" if info["status"] == "fetched" else ""
                self.log.info("%s %s%s", info["course_id"], info["assignment_id"], there)
        return found

    def remove_files(self) -> list[Info]:
        """Withdraws released assignments, or empties the cache; the service's record of submissions stays."""
        found = self.found()
        if self.inbound:
            self.refuse("Submissions are on record and cannot be removed.")
        for info in found:
            info["status"] = "removed"
            if self.cached:
                for one in info["submissions"]:
                    one["status"] = "removed"
                    if one["path"]:
                        self.log.info("Removing from the cache: %s", one["path"])
                        shutil.rmtree(one["path"])
            else:
                self.log.info("Withdrawing: %s %s", info["course_id"], info["assignment_id"])
                self.ask("DELETE", "exchange", info["course_id"], "released", info["assignment_id"])
        return found

    def found(self) -> list[Info]:
        """Released assignments, or submissions grouped by student and assignment."""
        if not self.course or not self.allowed():
            return []
        released = self.released(self.course)
        wanted = self.one_assignment()
        if not (self.inbound or self.cached):
            return [self.outbound(n, row) for n, row in sorted(released.items()) if wanted in ("", n)]
        student = "" if self.coursedir.student_id in ("", "*") else self.one_student()
        if self.cached and not student:
            student = str(self.ask("GET", "me")["name"])
        rows = self.ask("GET", "exchange", self.course, "submitted", assignment=wanted, student=student)
        answers = self.ask("GET", "exchange", self.course, "feedback", assignment=wanted, student=student)
        feedback = {(f["assignment"], f["student"], f["stamp"]): f["sha256"] for f in answers}
        found = {(r["student"], r["assignment"], r["stamp"]): "" for r in rows}
        kept = self.kept(student, wanted)
        found = found | kept if self.cached else {key: kept.get(key, "") for key in found}
        groups: dict[tuple[str, str], list[Info]] = {}
        for (who, what, stamp), path in sorted(found.items()):
            names = _names(Path(path)) if path else notebook_ids(released.get(what, {}))
            info = self.submitted(who, what, stamp, path, names, feedback.get((what, who, stamp)))
            groups.setdefault((who, what), []).append(info)
        return [
            {
                "course_id": self.course,
                "student_id": who,
                "assignment_id": what,
                "status": "submitted",
                "submissions": submissions,
            }
            for (who, what), submissions in sorted(groups.items())
        ]

    def allowed(self) -> bool:
        """Whether nbgrader's own authenticator lets this student see the course."""
        if self.authenticator is None or not self.coursedir.student_id:
            return True
        courses = self.authenticator.get_student_courses(self.coursedir.student_id)
        return courses is None or self.course in courses

    def kept(self, student: str, assignment: str) -> dict[tuple[str, str, str], str]:
        """What the cache of this server holds."""
        kept = {}
        for path in sorted((Path(self.cache) / self.course).glob("*+*+*")):
            match = _CACHED.fullmatch(path.name)
            if (
                match is None
                or student not in ("", match["student_id"])
                or assignment not in ("", match["assignment_id"])
            ):
                continue
            kept[(match["student_id"], match["assignment_id"], match["timestamp"])] = str(path)
        return kept

    def outbound(self, assignment: str, row: Info) -> Info:
        """One released assignment."""
        here = self.local(self.course, assignment)
        fetched = here.exists()
        names = _names(here) if fetched else notebook_ids(row)
        return {
            "course_id": self.course,
            "assignment_id": assignment,
            "status": "fetched" if fetched else "released",
            "path": str(here) if fetched else "",
            "notebooks": [{"notebook_id": n, "path": str(here / f"{n}.ipynb") if fetched else ""} for n in names],
        }

    def submitted(self, who: str, what: str, stamp: str, path: str, names: list[str], sha256: str | None) -> Info:
        """One submission, with what is known of its feedback."""
        folder = self.local(self.course, what) / "feedback" / stamp
        mark = folder / DIGEST
        notebooks = []
        for name in names:
            page = folder / f"{name}.html"
            have = page.is_file()
            current = mark.is_file() and mark.read_text(encoding="utf-8") == sha256
            notebooks.append(
                {
                    "notebook_id": name,
                    "path": str(Path(path) / f"{name}.ipynb") if path else "",
                    "has_local_feedback": have,
                    "has_exchange_feedback": sha256 is not None,
                    "local_feedback_path": str(page) if have else None,
                    "feedback_updated": have and sha256 is not None and not current,
                }
            )
        local = bool(notebooks) and all(n["has_local_feedback"] for n in notebooks)
        return {
            "course_id": self.course,
            "student_id": who,
            "assignment_id": what,
            "timestamp": stamp,
            "status": "submitted",
            "path": path,
            "notebooks": notebooks,
            "has_local_feedback": local,
            "has_exchange_feedback": bool(notebooks) and sha256 is not None,
            "feedback_updated": any(n["feedback_updated"] for n in notebooks),
            "local_feedback_path": str(folder) if local else None,
        }


def _names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.ipynb"))


def _submitted_line(info: Info) -> str:
    line = "{course_id} {student_id} {assignment_id} {timestamp}".format(**info)
    if info["has_local_feedback"] and not info["feedback_updated"]:
        return line + " (feedback already fetched)"
    return line + (" (feedback ready to be fetched)" if info["has_exchange_feedback"] else " (no feedback available)")
