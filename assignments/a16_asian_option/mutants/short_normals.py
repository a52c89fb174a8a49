# dies by: wrong-answer
# Sums of three uniforms for normals: right mean and variance, but no tails (worst for one date).
import numpy as np


def asian_call(S0, K, r, sigma, T, m, npaths, seed, p):
    rng = np.random.default_rng(seed)
    dt = T / m
    n = npaths
    S = np.full(n, float(S0))
    total = np.zeros(n)
    for _ in range(m):
        S *= np.exp((r - 0.5 * sigma**2) * dt + 2.0 * sigma * np.sqrt(dt) * (rng.random(n) + rng.random(n) + rng.random(n) - 1.5))
        total += S
    payoff = np.exp(-r * T) * np.maximum(total / m - K, 0.0)
    return float(payoff.mean()), float(payoff.std(ddof=1) / np.sqrt(n))
