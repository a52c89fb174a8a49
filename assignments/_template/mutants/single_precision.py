# dies by: wrong-answer
"""Computes in float32."""

import numpy as np


def evaluate(c, x):
    y = x.astype(np.float32)
    out = np.zeros_like(y)
    for coefficient in c[::-1].astype(np.float32):
        out = out * y + coefficient
    return out.astype(np.float64)
