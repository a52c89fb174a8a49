# dies by: timed-out
# Right, and a thousand times slower than the core.
import numpy as np


def calc_attractor(out, r, x0=0.25, warmup=400):
    x = x0
    for _ in range(warmup):
        x = r * x * (1 - x)
    for j in range(len(out)):
        out[j] = x
        x = r * x * (1 - x)


def diagram(r, warmup=400):
    out = np.empty((len(r), 150))
    for row, rate in zip(out, r.tolist()):
        calc_attractor(row, rate, warmup=warmup)
    return out
