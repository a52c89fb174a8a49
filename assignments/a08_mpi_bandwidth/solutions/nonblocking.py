"""Nonblocking requests; a clock that never stops, and the median of its differences."""

import numpy as np
from mpi4py import MPI


def partner(comm):
    """The other rank."""
    if comm.Get_size() != 2:
        raise ValueError("this needs a communicator of exactly two ranks")
    return 1 - comm.Get_rank()


def pingpong(comm, n_max=25):
    """Bytes, seconds one way, bytes/s; rank 0's view, sent to rank 1."""
    other, first = partner(comm), comm.Get_rank() == 0
    table = np.empty((n_max, 3))
    table[:, 0] = 2.0 ** np.arange(n_max)
    for k in range(n_max):
        ball = [np.empty(2**k, "u1"), MPI.BYTE]
        clock = []  # the end of one trip is the start of the next
        for _ in range(405 if k <= 16 else 13):
            clock.append(MPI.Wtime())
            if first:
                comm.Send(ball, other, tag=1)
                comm.Recv(ball, other, tag=2)
            else:
                comm.Recv(ball, other, tag=1)
                comm.Send(ball, other, tag=2)
        table[k, 1] = np.median(np.diff(clock)[2:]) / 2
    table[:, 2] = table[:, 0] / table[:, 1]
    return comm.bcast(table)


def exchange(comm, letters, received):
    """Fills `received` with what the other rank was given: a receive that is posted first, a send, and a wait for both."""
    other = partner(comm)
    MPI.Request.Waitall([comm.Irecv(received, other, tag=3), comm.Isend(letters, other, tag=3)])


def fit(table):
    """Latency, s, and bandwidth, bytes/s, from the normal equations of the relative residuals."""
    u, v = 1 / table[:, 1], table[:, 0] / table[:, 1]
    a, b, c, p, q = u @ u, u @ v, v @ v, u.sum(), v.sum()
    return (c * p - b * q) / (a * c - b * b), (a * c - b * b) / (a * q - b * p)
