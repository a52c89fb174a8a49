"""Polynomials, as the formula reads: the oracle of the template assignment.

    p(x) = c[0] + c[1]·x + … + c[k−1]·x^(k−1)

Shapes: c (k,), x (n,) → p (n,), float64, dimensionless. Work: 2·k·n flops by Horner's rule; 16·n bytes.
Source: Horner's rule, Knuth, *The Art of Computer Programming* 2, §4.6.4.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt


def evaluate(c: npt.NDArray[np.float64], x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Exact rational arithmetic, rounded once at the end; slow on purpose."""
    out = np.empty(len(x))
    for i, value in enumerate(x):
        exact, power = Fraction(0), Fraction(1)
        for coefficient in c:
            exact += Fraction(float(coefficient)) * power
            power *= Fraction(float(value))
        out[i] = float(exact)
    return out
