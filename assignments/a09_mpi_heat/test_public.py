"""The examples of the handout."""

import numpy as np
import pytest

from autograder.judge.compare import close
from autograder.judge.deal import Rows

pytestmark = pytest.mark.criterion("examples")


def plate(rng, ny, nx):
    """A rough random plate, K."""
    return rng.uniform(250.0, 400.0, (ny, nx))


@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_a_hot_point_spreads_across_the_border(submission, p):
    """One step by hand: r of what the hot point loses goes to each neighbour, whoever holds it."""
    T = np.zeros((8, 5))
    T[3, 2] = 1.0  # with two ranks the last row of rank 0
    after = np.concatenate(submission.heat_mpi(p, Rows(T), 1.0, 1.0, 0.125, 1))
    expected = T.copy()
    expected[3, 2] = 0.5
    expected[2, 2] = expected[4, 2] = expected[3, 1] = expected[3, 3] = 0.125
    close(after, expected, rtol=0.0, atol=1e-15, what=f"the plate with {p} ranks")


def test_the_number_of_ranks_changes_nothing(submission, rng):
    """Forty steps on one to four ranks."""
    T = plate(rng, 21, 30)
    alone = submission.heat_mpi(1, Rows(T), 1e-5, 1e-2, 2.0, 40)[0]
    for p in (2, 3, 4):
        shared = np.concatenate(submission.heat_mpi(p, Rows(T), 1e-5, 1e-2, 2.0, 40))
        close(shared, alone, rtol=1e-12, what=f"{p} ranks against one")
