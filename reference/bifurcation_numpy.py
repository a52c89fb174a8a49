"""Baseline: the bifurcation diagram as a competent beginner vectorises it, all columns at once with NumPy.

Formula, shapes and units as in `bifurcation`. Each step reads and writes whole vectors of m doubles three times
(r x, 1 - x, their product) through temporaries: about 1.7 ns a step and column on one core of 2024, a hundred times
the cost of the arithmetic.

Source: the formula is May's (1976).
"""

import numpy as np


def calc_attractor(out: np.ndarray, r: float, x0: float = 0.25, warmup: int = 400) -> None:
    """Fill `out` (k,) with x_warmup, x_{warmup+1}, ... of the orbit that starts at `x0`."""
    x, r = float(x0), float(r)
    for _ in range(warmup):
        x = r * x * (1 - x)
    for j in range(len(out)):
        out[j] = x
        x = r * x * (1 - x)


def diagram(r: np.ndarray, warmup: int = 400) -> np.ndarray:
    """Return the (m, 150) samples of the attractor at each of the m growth rates `r`, every orbit from x0 = 0.25."""
    x = np.full(len(r), 0.25)
    out = np.empty((len(r), 150))
    for _ in range(warmup):
        x = r * x * (1 - x)
    for j in range(150):
        out[:, j] = x
        x = r * x * (1 - x)
    return out
