"""Oracle: what a ping-pong between two ranks must look like, and the postal model that it is fitted to.

    t(n) = alpha + n / beta              n in bytes, t in s one way, alpha in s (latency), beta in bytes/s (bandwidth)

A table has a row for every size, `bytes, seconds one way, bytes per second`; row k belongs to 2**k bytes. The relative
error of a measured time is about the same for all sizes, which span seven decades, so the fit minimises the sum of
squared *relative* residuals ((alpha + n/beta - t) / t)**2: with absolute ones the noise of one long message, a tenth of
a millisecond, would drown a latency of a microsecond.

Source: R. W. Hockney, *The communication challenge for MPP: Intel Paragon and Meiko CS-2*, Parallel Computing 20 (1994)
389-398; the name is that of A. Bar-Noy and S. Kipnis, *Designing broadcasting algorithms in the postal model for
message-passing systems*, SPAA 1992.
"""

from fractions import Fraction

import numpy as np

SHORT = slice(0, 11)  # rows of up to 1 KiB: the time is nearly that of an empty message
LONG = slice(20, 25)  # rows of 1 to 16 MiB: the time is nearly n / beta


def trips(k: int) -> int:
    """Round trips that are timed for a message of 2**k bytes, at least."""
    return 50 if k <= 16 else 10


def seconds(table: np.ndarray, warm: int = 0) -> float:
    """What the round trips of a table took together, s, if each had taken its median.

    Half of that has certainly passed: a median exceeds no more than twice the mean (Markov's inequality).

    Args:
        table: Shape (n_max, 3).
        warm: Round trips of each size that were not counted.
    """
    return float(sum(2 * (trips(k) + warm) * row[1] for k, row in enumerate(table)))


def levels(table: np.ndarray) -> np.ndarray:
    """Medians of the time of short messages, s, and of the time per byte of long ones, s/byte.

    Args:
        table: Shape (25, 3).
    """
    n, t = table[:, 0], table[:, 1]
    return np.array([np.median(t[SHORT]), np.median(t[LONG] / n[LONG])])


def fit(table: np.ndarray) -> tuple[float, float]:
    """Latency and bandwidth of the postal model, by least squares of relative residuals, in exact arithmetic.

    Args:
        table: Shape (k, 3), k >= 2, of at least two sizes: bytes, seconds > 0; the third column is not used.

    Returns:
        alpha, s; beta, bytes/s.

    Source: the normal equations of sum(((alpha + b n - t) / t)**2) with b = 1 / beta.
    """
    rows = [(1 / Fraction(float(t)), Fraction(float(n)) / Fraction(float(t))) for n, t, _ in table]
    a, b, c = sum(u * u for u, _ in rows), sum(u * v for u, v in rows), sum(v * v for _, v in rows)
    p, q = sum(u for u, _ in rows), sum(v for _, v in rows)
    determinant = a * c - b * b
    return float((c * p - b * q) / determinant), float(determinant / (a * q - b * p))
