"""All of nbgrader's settings in one function; `nbgrader_config.py` is two lines:

from hub.nbgrader_plugins.config import configure
configure(get_config())
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hub.nbgrader_plugins import exchange, feedback, listing, submit
from hub.nbgrader_plugins.client import course


def configure(c: Any) -> None:
    """Exchange over HTTP, grades from the judge, source folders that hold nothing secret.

    Args:
        c: the config object; course and course directory come from `AUTOGRADER_COURSE` and `AUTOGRADER_GRADEBOOK`.
    """
    c.CourseDirectory.course_id = course()
    folder = os.environ.get("AUTOGRADER_GRADEBOOK", "")
    if folder and Path(folder).is_dir():
        c.CourseDirectory.root = folder
    c.ExchangeFactory.exchange = exchange.HttpExchange
    c.ExchangeFactory.release_assignment = exchange.ReleaseAssignment
    c.ExchangeFactory.fetch_assignment = exchange.FetchAssignment
    c.ExchangeFactory.submit = submit.Submit
    c.ExchangeFactory.collect = submit.Collect
    c.ExchangeFactory.list = listing.List
    c.ExchangeFactory.release_feedback = feedback.ReleaseFeedback
    c.ExchangeFactory.fetch_feedback = feedback.FetchFeedback
    _converters(c)


def _converters(c: Any) -> None:
    """Only staff convert; students' servers do not pay for these imports twice."""
    from nbgrader import preprocessors as p

    from hub.nbgrader_plugins.execute import PREPROCESSORS, SANITIZE

    c.Autograde.sanitize_preprocessors = list(SANITIZE)
    c.Autograde.autograde_preprocessors = list(PREPROCESSORS)
    c.GenerateFeedback.exporter_class = "hub.nbgrader_plugins.formulas.FeedbackExporter"
    # the source folder is built without solutions; nbgrader's ClearSolutions would empty whole cells
    c.GenerateAssignment.preprocessors = [
        p.LockCells,
        p.ClearOutput,
        p.CheckCellMetadata,
        p.ComputeChecksums,
        p.SaveCells,
        p.CheckCellMetadata,
    ]
