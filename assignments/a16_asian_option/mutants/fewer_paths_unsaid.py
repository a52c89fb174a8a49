# dies by: wrong-answer
# Simulates a quarter of the paths and divides by the root of all of them.
import numpy as np


def asian_call(S0, K, r, sigma, T, m, npaths, seed, p):
    rng = np.random.default_rng(seed)
    dt = T / m
    n = npaths // 4
    S = np.full(n, float(S0))
    total = np.zeros(n)
    for _ in range(m):
        S *= np.exp((r - 0.5 * sigma**2) * dt + sigma * np.sqrt(dt) * rng.standard_normal(n))
        total += S
    payoff = np.exp(-r * T) * np.maximum(total / m - K, 0.0)
    return float(payoff.mean()), float(payoff.std(ddof=1) / np.sqrt(npaths))
