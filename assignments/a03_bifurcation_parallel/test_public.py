"""The examples of the handout."""

import numpy as np
import pytest

from autograder.judge.compare import close

pytestmark = pytest.mark.criterion("examples")


def test_two_threads_settle_three_populations(submission):
    """Two threads, three rates below 3: the fixed points 1 - 1/r."""
    r = np.array([1.6, 2.0, 2.5])
    x = submission.diagram_threads(r, 2)
    close(x, np.repeat(1 - 1 / r[:, None], 150, axis=1), rtol=1e-12, what="diagram_threads")


def test_two_processes_settle_three_populations(submission):
    """Two processes, three rates below 3: the fixed points 1 - 1/r."""
    r = np.array([1.6, 2.0, 2.5])
    x = submission.diagram_procs(r, 2)
    close(x, np.repeat(1 - 1 / r[:, None], 150, axis=1), rtol=1e-12, what="diagram_procs")


def test_the_number_of_workers_changes_nothing(submission, rng):
    """Below r = 3.5 one, two and three workers agree."""
    r = rng.uniform(2.9, 3.5, 40)
    one = submission.diagram_threads(r, 1)
    for p in (2, 3):
        close(submission.diagram_threads(r, p), one, rtol=0, atol=1e-9, what=f"{p} threads against one")
        close(submission.diagram_procs(r, p), one, rtol=0, atol=1e-9, what=f"{p} processes against one thread")
