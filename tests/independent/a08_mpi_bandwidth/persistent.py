"""Persistent requests for the ping-pong, its mean time; letters as one nonblocking message each way; normal equations for the fit."""

import numpy as np
from mpi4py import MPI


def two(comm):
    if comm.size != 2:
        raise ValueError(f"this needs two ranks, not {comm.size}")


def pingpong(comm, n_max=25):
    two(comm)
    other, table = 1 - comm.rank, np.empty((n_max, 3))
    for k in range(n_max):
        size, trips = 2**k, 120 if k <= 16 else 16
        buffer = np.zeros(size, dtype=np.uint8)
        ping = comm.Send_init(buffer, dest=other, tag=5)
        pong = comm.Recv_init(buffer, source=other, tag=5)
        order = (ping, pong) if comm.rank == 0 else (pong, ping)
        for trip in range(trips + 4):
            if trip == 4:
                begin = MPI.Wtime()
            for request in order:
                request.Start()
                request.Wait()
        seconds = (MPI.Wtime() - begin) / trips / 2
        ping.Free()
        pong.Free()
        table[k] = size, seconds, size / seconds
    comm.Bcast(table, root=0)
    return table


def exchange(comm, letters, received):
    two(comm)
    requests = [
        comm.Irecv(received, source=1 - comm.rank),
        comm.Isend(np.ascontiguousarray(letters), dest=1 - comm.rank),
    ]
    MPI.Request.Waitall(requests)


def fit(table):
    n, t = table[:, 0] / table[:, 1], 1 / table[:, 1]
    a, b, c, x, y = t @ t, t @ n, n @ n, t.sum(), n.sum()
    scale = a * c - b * b
    return float((c * x - b * y) / scale), float(scale / (a * y - b * x))
