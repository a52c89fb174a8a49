# dies by: wrong-answer
"""Takes the coefficients from the highest power down, as `numpy.polyval` does."""

import numpy as np


def evaluate(c, x):
    return np.polyval(c, x) if len(c) else np.zeros_like(x)
