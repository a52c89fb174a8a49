"""Reference kernel: heat conduction in a plate that is dealt to ranks by rows, with deep halos.

    T'[i,j] = (1 - 4r) T[i,j] + r (T[i-1,j] + T[i+1,j] + T[i,j-1] + T[i,j+1]),    r = alpha dt / dx2 <= 1/4

Every rank holds a block of whole rows, rank 0 the first; a rank may hold none. The outermost ring of the *plate* keeps
its temperature. T in K, alpha in m2/s, dx in m, dt in s.

Two ideas:
1. *Deep halos*: a rank fetches DEPTH rows of each neighbour at once and then takes DEPTH steps alone. Step k can update all
   but the k outermost of the fetched rows; what both neighbours compute twice is DEPTH (DEPTH - 1) rows for each
   border and exchange. One message a neighbour and DEPTH steps instead of one a step.
2. *Wavefront*: those DEPTH steps ride over the block together, as in `heat_c`.

Counts: 6 flops a point and step. Messages: 8 nx DEPTH bytes to each neighbour every DEPTH steps.
Time of a message of b bytes: latency + b / bandwidth; DEPTH divides the first term.

Source: C. Ding, Y. He, *A ghost cell expansion method for reducing communications in solving PDE problems*, SC 2001; the
wavefront is that of G. Wellein et al., COMPSAC 2009.
"""

import numpy as np
from numba import njit

DEPTH = 16


@njit("void(f8[:,::1], f8[:,::1], f8, i8, b1, b1)", fastmath={"reassoc", "contract", "nsz"})
def _steps(now, then, r, depth, above, below):
    """Take `depth` steps in one sweep; step k starts from `now` if k is even, else from `then`.

    Where there is a neighbour above (below), its `depth` rows come first (last), and every step can update one less.
    """
    ny, nx = now.shape
    centre = 1.0 - 4.0 * r
    for front in range(1, ny - 2 + depth):
        for k in range(max(0, front - (ny - 2)), min(depth, front)):
            i = front - k
            if (above and i <= k) or (below and i >= ny - 1 - k):
                continue
            old, new = (now, then) if k % 2 == 0 else (then, now)
            for j in range(1, nx - 1):
                vertical = old[i - 1, j] + old[i + 1, j]
                new[i, j] = centre * old[i, j] + r * (vertical + (old[i, j - 1] + old[i, j + 1]))


def neighbours(comm, rows: int):
    """The nearest ranks above and below that hold rows (None at the rim), and the fewest rows that any of them holds."""
    counts = comm.allgather(rows)
    above = [k for k in range(comm.rank) if counts[k]]
    below = [k for k in range(comm.rank + 1, comm.size) if counts[k]]
    return above[-1] if above else None, below[0] if below else None, min(c for c in counts if c)


def heat_mpi(comm, T_local: np.ndarray, alpha: float, dx: float, dt: float, n: int) -> np.ndarray:
    """Advance this rank's rows of a plate by n explicit steps.

    Args:
        comm: The communicator; its ranks hold the plate from top to bottom.
        T_local: Temperatures of this rank's rows, shape (rows, nx), K. Not modified.
        alpha: Thermal diffusivity, m2/s.
        dx: Grid spacing in both directions, m.
        dt: Length of a step, s.
        n: Number of steps, >= 0.

    Returns:
        Temperatures of the same rows after n steps, shape (rows, nx), K.
    """
    rows, nx = T_local.shape
    above, below, fewest = neighbours(comm, rows)
    if rows == 0 or nx < 3:
        return T_local.copy()
    depth = min(DEPTH, fewest) if comm.size > 1 else DEPTH
    up, down = depth * (above is not None), depth * (below is not None)
    now = np.empty((up + rows + down, nx))
    now[up : up + rows] = T_local
    then = now.copy()
    for first in range(0, n, depth):
        k = min(depth, n - first)
        _fetch(comm, now, up, down, rows, k, above, below)
        top, bottom = up - k if up else 0, up + rows + (k if down else 0)
        for halo in (slice(top, up), slice(up + rows, bottom)):
            then[halo] = now[halo]  # the ends of these rows belong to the rim and are never written
        _steps(now[top:bottom], then[top:bottom], alpha * dt / dx**2, k, bool(up), bool(down))
        if k % 2:
            now, then = then, now
    return now[up : up + rows].copy()


def _fetch(comm, now, up, down, rows, k, above, below):
    """Swap k rows with each neighbour; every send is matched by a receive that is posted already."""
    end = up + rows
    wanted = []
    if above is not None:
        wanted += [comm.Irecv(now[up - k : up], above, 1), comm.Isend(now[up : up + k], above, 2)]
    if below is not None:
        wanted += [comm.Irecv(now[end : end + k], below, 2), comm.Isend(now[end - k : end], below, 1)]
    for request in wanted:
        request.Wait()
