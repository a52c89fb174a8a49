"""Baseline: the arithmetic Asian call in whole-array NumPy, date by date, on one thread.

Formula and units as in `asian`. Arrays of npaths numbers: one normal, one exponential, two products and two sums a path and
date, each in a pass of its own, about 120 bytes of traffic. The number of threads is accepted and ignored.
"""

import numpy as np


def asian_call(
    S0: float, K: float, r: float, sigma: float, T: float, m: int, npaths: int, seed: int, p: int
) -> tuple[float, float]:
    """Return estimated price and standard error, USD; arguments as in the oracle."""
    rng = np.random.default_rng(seed)
    dt = T / m
    S = np.full(npaths, float(S0))
    total = np.zeros(npaths)
    for _ in range(m):
        S *= np.exp((r - 0.5 * sigma**2) * dt + sigma * np.sqrt(dt) * rng.standard_normal(npaths))
        total += S
    payoff = np.exp(-r * T) * np.maximum(total / m - K, 0.0)
    return float(payoff.mean()), float(payoff.std(ddof=1) / np.sqrt(npaths))
