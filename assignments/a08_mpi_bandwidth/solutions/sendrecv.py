"""Sendrecv; a clock around every round trip, and the median."""

import time

import numpy as np


def two(comm):
    """The other rank."""
    if comm.size != 2:
        raise ValueError(f"needs two ranks, got {comm.size}")
    return 1 - comm.rank


def pingpong(comm, n_max=25):
    """Bytes, seconds one way, bytes/s."""
    other = two(comm)
    table = np.zeros((n_max, 3))
    for k in range(n_max):
        buffer = np.zeros(2**k, np.uint8)
        count = 150 if k <= 16 else 10
        rounds = np.empty(count)
        for trip in range(-5, count):
            if comm.rank == 0:
                start = time.perf_counter()
                comm.Send(buffer, other)
                comm.Recv(buffer, other)
                rounds[trip] = time.perf_counter() - start
            else:
                comm.Recv(buffer, other)
                comm.Send(buffer, other)
        t = np.median(rounds) / 2
        table[k] = 2**k, t, 2**k / t
    comm.Bcast(table, 0)
    return table


def exchange(comm, letters, received):
    """Fills `received` with what the other rank was given."""
    other = two(comm)
    comm.Sendrecv(letters, other, 0, received, other, 0)


def fit(table):
    """Latency, s, and bandwidth, bytes/s: every equation alpha + n / beta = t divided by t."""
    n, t = table[:, 0], table[:, 1]
    matrix = np.stack([1 / t, n / t], axis=1)
    alpha, slope = np.linalg.lstsq(matrix, np.ones(len(t)), rcond=None)[0]
    return alpha, 1 / slope
