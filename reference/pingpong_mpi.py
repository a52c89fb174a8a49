"""Reference kernel: a ping-pong between two ranks, and letters exchanged in one message each way.

    t(n) = alpha + n / beta              n in bytes, t in s one way, alpha in s, beta in bytes/s

Three ideas in `exchange`:
1. *One message*: m letters cost one latency instead of m.
2. *Both ways at once*: the two directions use two copies by two cores, so Sendrecv takes about half as long as there and back.
3. *Received where it is wanted*: straight into the caller's array; memory between would cost a copy, and fresh memory a page
   fault for every 4 KiB, too, as much as the message itself.

Bytes of `exchange`: 8 m n each way, read once and written once on either side of MPI's shared cells.

Source: R. W. Hockney, *The communication challenge for MPP*, Parallel Computing 20 (1994) 389-398; W. Gropp and E. Lusk,
*Reproducible measurements of MPI performance characteristics*, EuroPVM/MPI 1999.
"""

import time

import numpy as np
from mpi4py import MPI

WARM = 3


def _other(comm) -> int:
    """The other one of two ranks.

    Raises:
        ValueError: there are not two.
    """
    if comm.size != 2:
        raise ValueError(f"two ranks are needed, not {comm.size}")
    return 1 - comm.rank


def pingpong(comm, n_max: int = 25) -> np.ndarray:
    """Time messages of 1, 2, 4, ... 2**(n_max - 1) bytes there and back.

    Args:
        comm: A communicator of two ranks.
        n_max: Number of sizes, >= 1.

    Returns:
        On both ranks, shape (n_max, 3): bytes, seconds one way (half the median round trip), bytes/s.

    Raises:
        ValueError: there are not two ranks; on every rank.
    """
    other = _other(comm)
    table = np.empty((n_max, 3))
    for k in range(n_max):
        n = 2**k
        message = [np.zeros(n, np.uint8), MPI.BYTE]
        seconds = []
        for _ in range(WARM + (50 if k <= 16 else 10)):
            if comm.rank == 0:
                begun = time.perf_counter()
                comm.Send(message, other)
                comm.Recv(message, other)
                seconds.append(time.perf_counter() - begun)
            else:
                comm.Recv(message, other)
                comm.Send(message, other)
        if comm.rank == 0:
            one_way = float(np.median(seconds[WARM:])) / 2
            table[k] = n, one_way, n / one_way
    comm.Bcast(table, 0)
    return table


def exchange(comm, letters: np.ndarray, received: np.ndarray) -> None:
    """Swap all letters with the other rank.

    Args:
        comm: A communicator of two ranks.
        letters: This rank's, shape (m, n), the same on both, C-contiguous. Not modified.
        received: Of the same shape, C-contiguous; filled with the other rank's letters.

    Raises:
        ValueError: there are not two ranks; on every rank.
    """
    other = _other(comm)
    comm.Sendrecv(letters, other, 0, received, other, 0)


def fit(table: np.ndarray) -> tuple[float, float]:
    """Latency, s, and bandwidth, bytes/s, of the postal model; see the oracle for the argument.

    Minimises the sum of squared relative residuals, by QR of the two columns 1/t and n/t.
    """
    n, t = table[:, 0], table[:, 1]
    q, r = np.linalg.qr(np.stack([1 / t, n / t], axis=1))
    alpha, inverse = np.linalg.solve(r, q.T @ np.ones(len(t)))
    return float(alpha), float(1 / inverse)
