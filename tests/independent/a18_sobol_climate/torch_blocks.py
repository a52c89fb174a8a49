"""PyTorch for the climates, four thousand side by side; a table of outputs, one row a sample, for the indices."""

import numpy as np
import torch

torch.set_num_threads(1)
BOUNDS = np.array([[3.3, 4.3], [0.9, 1.7], [0.0, 0.04], [6.0, 10.0], [60.0, 180.0], [0.5, 1.0]])


def warming(p, years):
    out = np.empty(len(p))
    for first in range(0, len(p), 4000):
        F, lam, a, C, E, gamma = torch.from_numpy(np.array(p[first : first + 4000].T, dtype=float, order="C"))
        upper, lower = 1 / (10 * C), gamma / (10 * E)
        F, lam, a, gamma = F * upper, lam * upper, a * upper, gamma * upper
        T, D = torch.zeros_like(F), torch.zeros_like(F)
        for s in range(10 * years):
            gap, slope = T - D, a * T
            slope.sub_(lam)
            slope.mul_(T).add_(F, alpha=min(s / 700, 1.0)).addcmul_(gamma, gap, value=-1.0)
            T.add_(slope)
            D.addcmul_(lower, gap)
        out[first : first + 4000] = T.numpy()
    return out


def samples(A, B):
    """Return A, B and A with each column in turn from B, below each other."""
    mixed = np.repeat(np.array(A, dtype=float)[None], A.shape[1], axis=0)
    for i in range(A.shape[1]):
        mixed[i, :, i] = B[:, i]
    return np.concatenate([A, B, mixed.reshape(-1, A.shape[1])])


def indices(y, n):
    """Return S and ST from the outputs at all points, in the order of `samples`."""
    table = np.array(y, dtype=float).reshape(-1, n)
    m = table[:2].mean()
    V = ((table[:2] - m) ** 2).mean()
    changes = table[2:] - table[0]
    if table[:2].min() == table[:2].max():
        return np.zeros(len(changes)), np.zeros(len(changes))
    return changes @ (table[1] - m) / (n * V), (changes**2).sum(axis=1) / (2 * n * V)


def sobol(f, A, B):
    return indices([f(x) for x in samples(A, B)], len(A))


def climate_indices(A, B, years):
    low, high = BOUNDS.T
    return indices(warming(low + (high - low) * samples(A, B), years), len(A))
