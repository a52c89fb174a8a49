"""NumPy: antithetic pairs in chunks, a Philox stream for every chunk, so that p changes nothing but the time."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

CHUNK = 4096


def pairs(S0, K, r, sigma, T, m, count, seed, number):
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, number])))
    dt = T / m
    z = np.cumsum(rng.standard_normal((m, count)), axis=0) * (sigma * np.sqrt(dt))
    drift = ((r - sigma**2 / 2) * dt * np.arange(1, m + 1))[:, None]
    discount = np.exp(-r * T)
    up = discount * np.maximum(S0 * np.exp(drift + z).mean(axis=0) - K, 0)
    down = discount * np.maximum(S0 * np.exp(drift - z).mean(axis=0) - K, 0)
    return (up + down) / 2


def asian_call(S0, K, r, sigma, T, m, npaths, seed, p):
    total = npaths // 2
    counts = [min(CHUNK, total - k) for k in range(0, total, CHUNK)]
    with ThreadPoolExecutor(p) as pool:
        parts = pool.map(lambda job: pairs(S0, K, r, sigma, T, m, job[1], seed, job[0]), enumerate(counts))
        means = np.concatenate(list(parts))
    return means.mean(), means.std(ddof=1) / np.sqrt(total)
