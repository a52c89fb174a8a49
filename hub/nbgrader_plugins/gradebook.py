"""The one writer of nbgrader's gradebook: `python -m hub.nbgrader_plugins.gradebook COURSE_DIR ASSIGNMENT STUDENT`.

One submission at a time goes through nbgrader's own steps (collect, autograde, generate and release feedback) with our
settings, so that submitted/, autograded/, feedback/, gradebook.db and Formgrader agree. A file lock lets one in; the
service starts it as a process of its own, because nbgrader changes the working directory and the environment.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import resource
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder.api import CourseError, load_term, term_file
from hub.nbgrader_plugins import built
from hub.nbgrader_plugins.client import FINAL, Service, ServiceError, course
from hub.nbgrader_plugins.config import configure
from hub.nbgrader_plugins.execute import NotGraded, find_submission, submissions
from hub.nbgrader_plugins.ground import LinkError, give, refuse_links, writable
from hub.nbgrader_plugins.renew import RenewError, adapt, first_criterion
from hub.nbgrader_plugins.source import PREFIX, build, plan

LOCK = ".gradebook.lock"
RELEASED = ".released-{}"  # the stamp of what students have
LIMIT_S = 600.0
# of the process that reads what a student wrote while duels of this machine wait for it
CPU_S, MEMORY_BYTES = 90, 4 << 30
CONFIG = "nbgrader_config.py"
# of the service's variables: no token, no database's address
_KEPT = (
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH",
    "AUTOGRADER_COURSE", "AUTOGRADER_COURSE_FOLDER", "AUTOGRADER_TERM",
)  # fmt: skip


class GradebookError(Exception):
    """nbgrader could not do a step; the text holds its log."""


def sync(course_dir: Path, assignment: str, student: str, environment: dict[str, str] | None = None) -> str:
    """Brings one student's newest submission into the gradebook, in a process of its own.

    Args:
        environment: variables for the process beside the few of ours that it needs: `AUTOGRADER_URL` and `AUTOGRADER_TOKEN` of a TA or above.

    Returns:
        What was done, in words; lines after the first are for staff, who have to do something.

    Raises:
        GradebookError: a step failed, or took too long.
    """
    command = [sys.executable, "-P", "-m", "hub.nbgrader_plugins.gradebook", str(course_dir), assignment, student]
    try:
        done = subprocess.run(  # noqa: S603  # fixed program, arguments that are names
            command,
            env={key: os.environ[key] for key in _KEPT if key in os.environ} | (environment or {}),
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise GradebookError(f"{assignment} of {student}: nothing happened within {LIMIT_S:g} s") from error
    if done.returncode:
        raise GradebookError(f"{assignment} of {student}: {done.stderr[-2000:].strip()}")
    return done.stdout.strip()


def write(course_dir: Path, assignment: str, student: str) -> str:
    """The steps, under the lock.

    Raises:
        GradebookError: a step failed.
    """
    with _alone(course_dir):
        refuse_links(course_dir, assignment, student)
        api = interface(course_dir)
        left = prepare(api, assignment)
        _dated(api, assignment)
        done = _bring(api, course_dir, assignment, student)
    return f"{done}\n{left}" if left else done


def _bring(api: NbGraderAPI, course_dir: Path, assignment: str, student: str) -> str:
    api.coursedir.student_id = student
    collected = api.collect(assignment, update=True)
    _step("collect", collected)
    stamp = course_dir / "submitted" / student / assignment / "timestamp.txt"
    with Service() as service:
        try:
            if not submissions(service, str(api.coursedir.course_id), assignment, student):
                return f"{student} has not submitted {assignment}"
            if not stamp.is_file():
                raise GradebookError(f"{student}'s submission could not be collected: {_log(collected)}")
            when = stamp.read_text(encoding="utf-8").strip()
            row = find_submission(service, str(api.coursedir.course_id), assignment, student, when)
            newest = submissions(service, str(api.coursedir.course_id), assignment, student)[-1]
        except (ServiceError, NotGraded) as error:
            raise GradebookError(str(error)) from error
    if newest["submission"] != row["submission"] and newest["state"] in FINAL:
        # an older one must not stand for it
        raise GradebookError(f"the newest submission of {student} could not be collected: {_log(collected)}")
    if row["state"] not in FINAL:
        return f"a newer submission is {row['state']}; it will bring itself in"
    _step("autograde", api.autograde(assignment, student, force=True, create=True))
    _name(api, student)
    _step("generate feedback", api.generate_feedback(assignment, student, force=True))
    _step("release feedback", api.release_feedback(assignment, student))
    _hand_over(course_dir)
    return f"{assignment} of {student} is in the gradebook"


def interface(course_dir: Path) -> NbGraderAPI:
    """nbgrader with our settings, and over them those of an `nbgrader_config.py` beside the course directory.

    One inside is the TAs' own, for their servers: here it would run with all that this process may do.
    """
    # creating a gradebook runs the program `alembic`, which lies beside this interpreter
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    config = Config()
    configure(config)
    config.CourseDirectory.root = str(course_dir.resolve())
    # decided already, and run already if there was time; and duels of this machine wait for this process
    config.JudgeExecute.wait_s, config.JudgeExecute.cells_s = 5.0, 0.0
    own = course_dir.resolve().parent / CONFIG
    if own.is_file():
        config.merge(PyFileConfigLoader(own.name, path=str(own.parent)).load_config())
    coursedir = CourseDirectory(config=config)
    return NbGraderAPI(coursedir=coursedir, config=config)


def prepare(api: NbGraderAPI, assignment: str) -> str:
    """The assignment's source folder, student's version and gradebook rows, where they are missing or not what the course
    says now.

    Returns:
        Why they are left as they were, for staff; empty where all is well.

    Raises:
        CourseError: there is nothing yet, and nothing can be made.
        RenewError: the change would lose points.
    """
    root = Path(api.coursedir.root)
    said = os.environ.get("AUTOGRADER_COURSE_FOLDER", "")
    folder = Path(said) if said else None
    there = (root / "source" / assignment).is_dir() and (root / "release" / assignment).is_dir()
    with Gradebook(api.coursedir.db_url, str(api.coursedir.course_id)) as gradebook:
        try:
            gradebook.find_assignment(assignment)
        except MissingEntry:
            there = False
    try:
        now, ours = plan(assignment, folder)
        known = built.read(root, assignment)
        if there and known is not None and known.stamp == now:
            return ""
        if there and known is None:  # made before there was such a record: it may hold what staff added
            notebook = _source(root, assignment)
            cells = {n: p for n, p in built.points(notebook).items() if n in ours or n.startswith(PREFIX)}
            built.write(root, assignment, built.Built(now, place=first_criterion(notebook), cells=cells))
        else:
            known = known or built.Built()
            known = known if there else replace(known, stamp="")
            _make(api, assignment, folder, known, built.Built(now, cells=ours))
        _hand_over(root)
    except CourseError as error:
        if not there:
            raise
        # somebody is at work on it, or it is no longer given: whoever handed it in gets their points all the same
        return f"{assignment} is left as it was: {error}"
    return ""


def _make(api: NbGraderAPI, assignment: str, folder: Path | None, known: built.Built, ahead: built.Built) -> None:
    """Anew. The record says at each step that it is not finished, and where a review's extra credit lies."""
    root = Path(api.coursedir.root)
    notebook = _source(root, assignment)
    ours = {**known.cells, **ahead.cells}
    for name in built.points(notebook):
        if name not in ours and not name.startswith(PREFIX):
            raise CourseError(
                str(notebook),
                f"holds the cell {name}, which is not the course's: write it into the assignment's own notebook "
                "with the same name, or remove it here",
            )
    under_way = replace(known, stamp="", place=known.place or first_criterion(notebook), cells=ours)
    built.write(root, assignment, under_way)
    try:
        build(assignment, root, folder)
    except CourseError:  # before anything was replaced
        built.write(root, assignment, known)
        raise
    with Gradebook(api.coursedir.db_url, str(api.coursedir.course_id)) as gradebook:
        place = adapt(gradebook, assignment, notebook, under_way.place)
    cells = built.points(notebook)
    built.write(root, assignment, replace(under_way, place=place, cells={**ours, **cells}))
    _step("generate assignment", api.generate_assignment(assignment, force=True))
    same = known.stamp and known.cells == cells  # words alone were changed
    token = known.token if same else secrets.token_hex(4)
    built.write(root, assignment, built.Built(ahead.stamp, token, place, cells))


def _source(root: Path, assignment: str) -> Path:
    return root / "source" / assignment / f"{assignment}.ipynb"


def seed(course_dir: Path, assignments: list[str]) -> list[str]:
    """Prepares and releases assignments that are not released yet, or that have changed since.

    Returns:
        Those that were released now.
    """
    done = []
    with _alone(course_dir):
        api = interface(course_dir)
        with Service() as service:
            known = {row["assignment"] for row in service.json("GET", "exchange", course(), "released")}
        for assignment in assignments:
            refuse_links(course_dir, assignment, "")
            if left := prepare(api, assignment):
                print(left, file=sys.stderr)  # noqa: T201  # the words of a program
            _dated(api, assignment)
            released, made = course_dir / RELEASED.format(assignment), built.read(course_dir, assignment)
            now = made.stamp if made else ""
            if assignment not in known or not released.is_file() or released.read_text(encoding="utf-8") != now:
                _step("release", _release(api, assignment))
                with writable(released) as file:
                    file.write(now)
                _hand_over(course_dir)
                done.append(assignment)
    return done


def _dated(api: NbGraderAPI, assignment: str) -> None:
    """Formgrader shows when it is due; what being late costs is the service's to say."""
    folder = os.environ.get("AUTOGRADER_COURSE_FOLDER", "")
    term = load_term(term_file(Path(folder) if folder else None))
    if term is None or assignment not in term.slots:
        return
    due = term.slots[assignment].due.astimezone(UTC).replace(tzinfo=None)
    with Gradebook(api.coursedir.db_url, str(api.coursedir.course_id)) as gradebook:
        known = gradebook.find_assignment(assignment)
        if known.duedate != due:
            known.duedate = due
            gradebook.db.commit()


def _name(api: NbGraderAPI, student: str) -> None:
    """Formgrader shows "None, None" for who has no name; until somebody enters one, the account's stands for it."""
    with Gradebook(api.coursedir.db_url, str(api.coursedir.course_id)) as gradebook:
        known = gradebook.find_student(student)
        if known.first_name is None and known.last_name is None:
            known.first_name, known.last_name = "", student
            gradebook.db.commit()


@contextmanager
def _alone(course_dir: Path) -> Iterator[None]:
    """One writer at a time, across processes; freed by the system when the process ends."""
    course_dir.mkdir(parents=True, exist_ok=True)
    with writable(course_dir / LOCK) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _hand_over(course_dir: Path) -> None:
    """What a privileged writer made belongs to the folder's owner, who works on it in Formgrader."""
    owner = course_dir.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        give(course_dir, owner.st_uid, owner.st_gid)


def _release(api: NbGraderAPI, assignment: str) -> dict[str, object]:
    """nbgrader's own function cannot say `force`."""
    config = api.config.copy()
    config.ExchangeReleaseAssignment.force = True
    forced = NbGraderAPI(coursedir=api.coursedir, config=config)
    return forced.release_assignment(assignment)


def _log(result: dict[str, object]) -> str:
    return str(result.get("log") or "")[-1000:]


def _step(name: str, result: dict[str, object]) -> None:
    if not result["success"]:
        words = str(result.get("error") or result.get("log") or "")
        raise GradebookError(f"nbgrader could not {name}:\n{str(result.get('log', ''))[-3000:]}\n{words[-2000:]}")


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("course_dir", type=Path)
    parser.add_argument("assignment")
    parser.add_argument("student", nargs="?", default="", help="nobody: prepare and release the assignment")
    chosen = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    folder = chosen.course_dir.resolve()
    try:
        if chosen.student:
            said = write(folder, chosen.assignment, chosen.student)
        else:
            said = f"released: {', '.join(seed(folder, chosen.assignment.split(','))) or 'nothing new'}"
    except (GradebookError, ServiceError, CourseError, LinkError, RenewError) as error:
        sys.exit(str(error))
    print(said)  # noqa: T201  # the answer of a program


if __name__ == "__main__":
    main()
