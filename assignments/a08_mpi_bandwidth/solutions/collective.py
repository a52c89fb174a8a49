"""A collective call for the letters; lists and a sorted middle for the table."""

import numpy as np
from mpi4py import MPI


def check(comm):
    """Exactly two ranks."""
    if comm.size != 2:
        raise ValueError("two ranks, please")


def pingpong(comm, n_max=25):
    """Bytes, seconds one way, bytes/s; the median of an odd number of trips is one of them."""
    check(comm)
    rows = []
    for n in (2**k for k in range(n_max)):
        message, times = np.ones(n, np.int8), []
        for _ in range(123 if n <= 1 << 16 else 13):
            start = MPI.Wtime()
            if comm.rank == 0:
                comm.Send(message, 1)
                comm.Recv(message, 1)
            else:
                comm.Recv(message, 0)
                comm.Send(message, 0)
            times.append(MPI.Wtime() - start)
        middle = sorted(times[2:])[len(times[2:]) // 2]
        rows.append((n, middle / 2, 2 * n / middle))
    return comm.bcast(np.array(rows, float))


def exchange(comm, letters, received):
    """All numbers go to the other rank and none to this one; `received` becomes what the other sends."""
    check(comm)
    counts = (0, letters.size) if comm.rank == 0 else (letters.size, 0)
    comm.Alltoallv([letters, counts, (0, 0), MPI.DOUBLE], [received, counts, (0, 0), MPI.DOUBLE])


def fit(table):
    """Latency, s, and bandwidth, bytes/s."""
    n, t, _ = table.T
    slope, latency = np.polyfit(n, t, 1, w=1 / t)
    return latency, 1 / slope
