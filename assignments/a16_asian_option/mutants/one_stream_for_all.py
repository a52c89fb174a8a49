# dies by: wrong-answer
# Every thread starts the same stream: p copies of npaths / p paths.
import numpy as np
from concurrent.futures import ThreadPoolExecutor


def payoffs(S0, K, r, sigma, T, m, n, stream):
    rng = np.random.default_rng(stream)
    dt = T / m
    S = np.full(n, float(S0))
    total = np.zeros(n)
    for _ in range(m):
        S *= np.exp((r - 0.5 * sigma**2) * dt + sigma * np.sqrt(dt) * rng.standard_normal(n))
        total += S
    return np.exp(-r * T) * np.maximum(total / m - K, 0.0)


def asian_call(S0, K, r, sigma, T, m, npaths, seed, p):
    counts = [npaths * (t + 1) // p - npaths * t // p for t in range(p)]
    with ThreadPoolExecutor(p) as pool:
        parts = list(pool.map(lambda t: payoffs(S0, K, r, sigma, T, m, counts[t], seed), range(p)))
    payoff = np.concatenate(parts)
    return float(payoff.mean()), float(payoff.std(ddof=1) / np.sqrt(npaths))
