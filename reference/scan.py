"""Oracle: the inclusive prefix sum of an array.

    y[k] = x[0] + x[1] + … + x[k]                                     x, y: shape (n,), any unit; 0 <= k < n

Counts: n - 1 additions; 8 bytes an element (4 read, 4 written, in single precision), the same as a copy. With a quarter of
an operation a byte, memory limits every device; a copy of x is the fastest that a scan can be.

`room` says how far a single-precision scan may be away. Whatever the order of additions, every intermediate result is a sum of
neighbours, x[i] + … + x[j], which is y[j] - y[i-1] and at most twice the largest |y| so far; its rounding errs by 6e-8 of it.
A result collects the errors of all additions below it: where signs are random, they add up like a random walk.

Source: G. E. Blelloch, *Prefix sums and their applications*, CMU-CS-90-190 (1990); N. J. Higham, *The accuracy of floating
point summation*, SIAM J. Sci. Comput. 14 (1993) 783–799.
"""

import numpy as np


def scan(x: np.ndarray) -> np.ndarray:
    """Return the running sums of x, one after the other in double precision.

    Args:
        x: Shape (n,), n >= 0. Not modified.

    Returns:
        y, shape (n,), float64.
    """
    return np.add.accumulate(x, dtype=np.float64)


def room(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the size of the sums so far, in whose units an error is judged, shape (n,).

    The root of the sum of squares (√k times the root mean square of k elements: as large as a sum of random signs), plus the
    largest |y| so far. It knows nothing of what comes after k, because y[k] must not, either.

    Args:
        x: Shape (n,).
        y: `scan(x)`.
    """
    squares = np.add.accumulate(np.square(x, dtype=np.float64))
    return np.sqrt(squares) + np.maximum.accumulate(np.abs(y))
