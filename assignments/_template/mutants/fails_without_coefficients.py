# dies by: crashed
"""Begins with the last coefficient, which may not exist."""


def evaluate(c, x):
    out = x * 0 + c[-1]
    for coefficient in c[-2::-1]:
        out = out * x + coefficient
    return out
