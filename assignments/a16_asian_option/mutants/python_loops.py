# dies by: timed-out
# Correct, path after path in plain Python.
import math
import random


def asian_call(S0, K, r, sigma, T, m, npaths, seed, p):
    rng = random.Random(seed)
    dt = T / m
    drift, spread, discount = (r - 0.5 * sigma**2) * dt, sigma * math.sqrt(dt), math.exp(-r * T)
    sums = squares = 0.0
    for _ in range(npaths):
        S, total = S0, 0.0
        for _ in range(m):
            S *= math.exp(drift + spread * rng.gauss(0.0, 1.0))
            total += S
        payoff = discount * max(total / m - K, 0.0)
        sums += payoff
        squares += payoff * payoff
    return sums / npaths, math.sqrt(max(squares - sums**2 / npaths, 0.0) / (npaths - 1) / npaths)
