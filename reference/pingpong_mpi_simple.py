"""Baseline: a ping-pong between two ranks, and letters exchanged one at a time, as buffers, there and back.

Every letter costs a latency of its own, and one direction waits for the other: m letters of 8 n bytes take
2 m (alpha + 8 n / beta). Source: as `pingpong`.
"""

import numpy as np
from mpi4py import MPI


def _other(comm) -> int:
    if comm.size != 2:
        raise ValueError(f"two ranks are needed, not {comm.size}")
    return 1 - comm.rank


def pingpong(comm, n_max: int = 25) -> np.ndarray:
    """Bytes, seconds one way, bytes/s for 2**k bytes, shape (n_max, 3), on both ranks."""
    other = _other(comm)
    table = np.empty((n_max, 3))
    for k in range(n_max):
        message, seconds = np.zeros(2**k, np.uint8), []
        for _ in range(52 if k <= 16 else 12):
            begun = MPI.Wtime()
            if comm.rank == 0:
                comm.Send(message, other)
                comm.Recv(message, other)
            else:
                comm.Recv(message, other)
                comm.Send(message, other)
            seconds.append(MPI.Wtime() - begun)
        one_way = np.median(seconds[2:]) / 2
        table[k] = 2**k, one_way, 2**k / one_way
    return comm.bcast(table, 0)


def exchange(comm, letters: np.ndarray, received: np.ndarray) -> None:
    """Fills `received` with the other rank's letters, shape (m, n); `letters` are this rank's."""
    other = _other(comm)
    for mine, theirs in zip(letters, received, strict=True):
        if comm.rank == 0:
            comm.Send(mine, other)
            comm.Recv(theirs, other)
        else:
            comm.Recv(theirs, other)
            comm.Send(mine, other)


def fit(table: np.ndarray) -> tuple[float, float]:
    """Latency, s, and bandwidth, bytes/s, of the postal model, by weighted least squares."""
    slope, alpha = np.polyfit(table[:, 0], table[:, 1], 1, w=1 / table[:, 1])
    return float(alpha), float(1 / slope)
