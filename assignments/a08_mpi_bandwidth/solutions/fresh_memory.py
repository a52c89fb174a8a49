"""The shortest: everything anew in every call."""

import numpy as np
from mpi4py import MPI


def check(comm):
    """Exactly two ranks."""
    if comm.size != 2:
        raise ValueError("two ranks, please")


def pingpong(comm, n_max=25):
    """Bytes, seconds one way (the best of all trips), bytes/s."""
    check(comm)
    rows = []
    for n in (2**k for k in range(n_max)):
        message, best = np.ones(n, np.int8), np.inf
        for _ in range(120 if n <= 1 << 16 else 12):
            comm.Barrier()
            start = MPI.Wtime()
            if comm.rank == 0:
                comm.Send(message, 1)
                comm.Recv(message, 1)
            else:
                comm.Recv(message, 0)
                comm.Send(message, 0)
            best = min(best, MPI.Wtime() - start)
        rows.append((n, best / 2, 2 * n / best))
    return comm.bcast(np.array(rows, float))


def exchange(comm, letters):
    """The other rank's letters."""
    check(comm)
    received = np.empty_like(letters)
    comm.Sendrecv(letters, 1 - comm.rank, recvbuf=received)
    return received


def fit(table):
    """Latency, s, and bandwidth, bytes/s."""
    n, t, _ = table.T
    slope, latency = np.polyfit(n, t, 1, w=1 / t)
    return latency, 1 / slope
