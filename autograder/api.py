"""The front door: what the command line and the hub use; nothing else of this package is a promise."""

from autograder.course.intake import receive
from autograder.course.load import all_folders, find, load
from autograder.course.release import release
from autograder.domain.assignment import Assignment
from autograder.domain.grade import Grade
from autograder.domain.submission import Submission
from autograder.engine.node import Node
from autograder.engine.options import Options
from autograder.errors import AutograderError, CourseError, SubmissionError
from autograder.report.page import write_page

__all__ = [
    "Assignment",
    "AutograderError",
    "CourseError",
    "Grade",
    "Node",
    "Options",
    "Submission",
    "SubmissionError",
    "all_folders",
    "find",
    "load",
    "receive",
    "release",
    "write_page",
]
