"""The fused loop, rows dealt out to threads."""

import numba
from fused import march, row


@numba.njit(parallel=True)
def step(u, v, un, vn, feed, kill):
    """One step; rows read the old arrays and write the new ones, so that their order is free."""
    for i in numba.prange(u.shape[0]):
        row(u, v, un, vn, i, feed, kill)


def react(u, v, feed, kill, steps):
    """Both concentrations, (ny, nx), after so many steps."""
    return march(step, u, v, feed, kill, steps)
