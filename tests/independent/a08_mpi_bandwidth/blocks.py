"""Plain Send and Recv with the least time; letters through Alltoall, half a megabyte at a time; least squares by QR."""

from time import perf_counter

import numpy as np


def need_two(comm):
    if comm.Get_size() != 2:
        raise ValueError("exactly two ranks, please")


def pingpong(comm, n_max=25):
    need_two(comm)
    rows = []
    for k in range(n_max):
        x = np.ones(2**k, "b")
        best = np.inf
        for trip in range(75 if k <= 16 else 15):
            if comm.rank:
                comm.Recv(x, 0)
                comm.Send(x, 0)
                continue
            begin = perf_counter()
            comm.Send(x, 1)
            comm.Recv(x, 1)
            if trip >= 5:
                best = min(best, perf_counter() - begin)
        rows.append((2**k, best / 2, 2**k / (best / 2)))
    return np.array(comm.bcast(rows, root=0), dtype=float)


def exchange(comm, letters, received):
    need_two(comm)
    mine = np.ascontiguousarray(letters).ravel()
    theirs = received.reshape(-1)
    step = 65536
    send, receive = np.empty((2, step)), np.empty((2, step))
    for k in range(0, mine.size, step):
        n = min(step, mine.size - k)
        send[1 - comm.rank, :n] = mine[k : k + n]
        comm.Alltoall(send, receive)
        theirs[k : k + n] = receive[1 - comm.rank, :n]


def fit(table):
    n, t = table[:, 0], table[:, 1]
    # columns of like size, or the seventh digit is lost
    design = np.stack([1 / t, n / t], axis=1)
    sizes = np.linalg.norm(design, axis=0)
    q, r = np.linalg.qr(design / sizes)
    alpha, slope = np.linalg.solve(r, q.T @ np.ones(len(t))) / sizes
    return float(alpha), float(1 / slope)
