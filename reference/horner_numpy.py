"""Polynomials: what a competent beginner writes. One temporary of n numbers per coefficient, a pass over memory each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def evaluate(c: npt.NDArray[np.float64], x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Horner's rule on whole arrays."""
    out = np.zeros_like(x)
    for coefficient in c[::-1]:
        out = out * x + coefficient
    return out
