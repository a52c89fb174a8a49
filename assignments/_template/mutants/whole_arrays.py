# dies by: too-slow
"""Right, and a pass over memory for every coefficient."""

import numpy as np


def evaluate(c, x):
    out = np.zeros_like(x)
    for coefficient in c[::-1]:
        out = out * x + coefficient
    return out
