# dies by: not-finite
# A control variate that divides by the control's variance also where nothing varies.

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

BLOCK = 4096


def simulate(S0, K, drift, spread, m, count, stream):
    """Return count pairs (arithmetic payoff, geometric payoff)."""
    rng = np.random.default_rng(stream)
    payoffs = np.empty((count, 2))
    for start in range(0, count, BLOCK):
        rows = payoffs[start : start + BLOCK]
        x, logs, total = np.zeros((3, len(rows)))
        z = np.empty(len(rows))
        for _ in range(m):
            rng.standard_normal(out=z)
            z *= spread
            z += drift
            x += z
            logs += x
            np.exp(x, out=z)
            total += z
        rows[:, 0] = np.maximum(S0 / m * total - K, 0.0)
        rows[:, 1] = np.maximum(S0 * np.exp(logs / m) - K, 0.0)
    return payoffs


def geometric_mean(S0, K, r, sigma, dt, m):
    """Return the undiscounted expectation of max(G - K, 0), for the geometric mean G."""
    mean = math.log(S0) + (r - 0.5 * sigma**2) * dt * (m + 1) / 2
    sd = sigma * math.sqrt(dt * (m + 1) * (2 * m + 1) / (6 * m))
    forward = math.exp(mean + 0.5 * sd**2)
    if K <= 0.0 or sd == 0.0:
        return max(forward - K, 0.0)
    d = (mean - math.log(K)) / sd
    return 0.5 * (forward * math.erfc(-(d + sd) / math.sqrt(2.0)) - K * math.erfc(-d / math.sqrt(2.0)))


def asian_call(S0, K, r, sigma, T, m, npaths, seed, p):
    dt = T / m
    drift, spread = (r - 0.5 * sigma**2) * dt, sigma * math.sqrt(dt)
    counts = [npaths * (t + 1) // p - npaths * t // p for t in range(p)]
    streams = np.random.SeedSequence(seed).spawn(p)
    with ThreadPoolExecutor(p) as pool:
        parts = pool.map(lambda count, stream: simulate(S0, K, drift, spread, m, count, stream), counts, streams)
        payoffs = np.concatenate(list(parts))
    means = payoffs.mean(axis=0)
    centred = payoffs - means
    xx = (centred[:, 1] ** 2).sum()
    beta = (centred[:, 0] * centred[:, 1]).sum() / xx
    price = means[0] - beta * (means[1] - geometric_mean(S0, K, r, sigma, dt, m))
    rest = centred[:, 0] - beta * centred[:, 1]
    discount = math.exp(-r * T)
    return float(discount * price), float(discount * math.sqrt((rest**2).sum() / (npaths - 2) / npaths))
