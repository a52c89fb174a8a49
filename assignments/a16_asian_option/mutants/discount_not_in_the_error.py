# dies by: wrong-answer
# Discounts the price, but not its standard error.
import numpy as np


def asian_call(S0, K, r, sigma, T, m, npaths, seed, p):
    rng = np.random.default_rng(seed)
    dt = T / m
    n = npaths
    S = np.full(n, float(S0))
    total = np.zeros(n)
    for _ in range(m):
        S *= np.exp((r - 0.5 * sigma**2) * dt + sigma * np.sqrt(dt) * rng.standard_normal(n))
        total += S
    payoff = np.maximum(total / m - K, 0.0)
    return float(np.exp(-r * T) * payoff.mean()), float(payoff.std(ddof=1) / np.sqrt(n))
