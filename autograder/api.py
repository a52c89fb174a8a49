"""The front door: what the command line and the hub use; nothing else of this package is a promise."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograder.course.intake import main_file, receive, receive_bytes, unpack
from autograder.course.load import all_folders, exercise, find, load, project_folders
from autograder.course.programme import opens as showcase_opens
from autograder.course.project import read_project_bytes
from autograder.course.release import release
from autograder.course.sample import CLASS as SAMPLE_CLASS
from autograder.course.sample import Pupil
from autograder.course.term import load_term, term_file
from autograder.domain.assignment import Assignment
from autograder.domain.grade import Grade
from autograder.domain.record import Entry, Purpose, Receipt, Role, State
from autograder.domain.shown import CELLS_NOT_RUN, Shown
from autograder.domain.submission import Submission
from autograder.domain.term import Term
from autograder.domain.verdict import Fault, Verdict
from autograder.engine.node import Node
from autograder.engine.options import Options
from autograder.engine.quietly import quietly
from autograder.errors import AutograderError, CourseError, LedgerError, SubmissionError
from autograder.report import drawing
from autograder.report.page import page, write_page

if TYPE_CHECKING:
    from autograder.engine.cluster import Cluster, worker_environment
    from autograder.engine.dispatch import Dispatcher
    from autograder.engine.quarantine import Quarantine
    from autograder.ledger.backup import backup as backup_ledger
    from autograder.ledger.backup import restore as restore_ledger
    from autograder.ledger.store import Ledger
    from autograder.report.gallery import HandedIn, write_gallery

__all__ = [
    "CELLS_NOT_RUN",
    "SAMPLE_CLASS",
    "Assignment",
    "AutograderError",
    "Cluster",
    "CourseError",
    "Dispatcher",
    "Entry",
    "Fault",
    "Grade",
    "HandedIn",
    "Ledger",
    "LedgerError",
    "Node",
    "Options",
    "Pupil",
    "Purpose",
    "Quarantine",
    "Receipt",
    "Role",
    "Shown",
    "State",
    "Submission",
    "SubmissionError",
    "Term",
    "Verdict",
    "all_folders",
    "backup_ledger",
    "drawing",
    "exercise",
    "find",
    "load",
    "load_term",
    "main_file",
    "page",
    "project_folders",
    "quietly",
    "read_project_bytes",
    "receive",
    "receive_bytes",
    "release",
    "restore_ledger",
    "showcase_opens",
    "term_file",
    "unpack",
    "worker_environment",
    "write_gallery",
    "write_page",
]

# The platform's parts bring SQLAlchemy and Dask; who grades one file does not wait for their import.
_LATE = {
    "Cluster": ("autograder.engine.cluster", "Cluster"),
    "Dispatcher": ("autograder.engine.dispatch", "Dispatcher"),
    "Quarantine": ("autograder.engine.quarantine", "Quarantine"),
    "Ledger": ("autograder.ledger.store", "Ledger"),
    "backup_ledger": ("autograder.ledger.backup", "backup"),
    "worker_environment": ("autograder.engine.cluster", "worker_environment"),
    "restore_ledger": ("autograder.ledger.backup", "restore"),
    "HandedIn": ("autograder.report.gallery", "HandedIn"),
    "write_gallery": ("autograder.report.gallery", "write_gallery"),
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _LATE[name]
    return getattr(import_module(module), attribute)
