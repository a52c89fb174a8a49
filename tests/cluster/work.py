"""What a hired node does in the tests."""

from __future__ import annotations

import os
from dataclasses import replace

from autograder.engine.task import Outcome, Parcel
from tests.crash.victim import simulated


def told(parcel: Parcel) -> Outcome:
    """A simulated grading that says which job of the batch system it ran in."""
    outcome = simulated(parcel, 0.5)
    assert outcome.grade is not None
    return replace(outcome, grade=outcome.grade | {"machine": {"slurm_job": os.environ["SLURM_JOB_ID"]}})
