"""The geometric mean as control variate: its price is known, and what it leaves unexplained is a thousandth.

Scalar Numba, threads by prange over p chunks, a stream of xoroshiro128+ (Blackman and Vigna) for every chunk.
"""

import math

import numpy as np
from numba import get_num_threads, njit, prange, set_num_threads

THREADS = get_num_threads()


@njit("Tuple((f8, u8, u8))(u8, u8)", inline="always")
def uniform(a, b):
    word = a + b
    b ^= a
    return (
        (float(word >> np.uint64(11)) + 0.5) * 2.0**-53,
        ((a << np.uint64(24)) | (a >> np.uint64(40))) ^ b ^ (b << np.uint64(16)),
        (b << np.uint64(37)) | (b >> np.uint64(27)),
    )


@njit("void(f8, f8, f8, f8, i8, i8, u8[:,::1], f8[:,::1])", parallel=True, fastmath=True)
def simulate(S0, K, drift, spread, m, npaths, states, sums):
    p = len(states)
    for t in prange(p):
        a, b = states[t, 0], states[t, 1]
        x1 = y1 = xx = xy = yy = spare = 0.0
        have = False
        for _ in range(npaths * t // p, npaths * (t + 1) // p):
            x, logs, total = 0.0, 0.0, 0.0
            for _ in range(m):
                if have:
                    z = spare
                else:
                    u, a, b = uniform(a, b)
                    v, a, b = uniform(a, b)
                    radius = math.sqrt(-2.0 * math.log(u))
                    z, spare = radius * math.cos(2.0 * math.pi * v), radius * math.sin(2.0 * math.pi * v)
                have = not have
                x += drift + spread * z
                logs += x
                total += math.exp(x)
            arithmetic = max(S0 * total / m - K, 0.0)
            geometric = max(S0 * math.exp(logs / m) - K, 0.0)
            x1 += geometric
            y1 += arithmetic
            xx += geometric * geometric
            xy += geometric * arithmetic
            yy += arithmetic * arithmetic
        sums[t, 0], sums[t, 1], sums[t, 2], sums[t, 3], sums[t, 4] = x1, y1, xx, xy, yy


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
    states = np.random.SeedSequence(seed).generate_state(2 * p, np.uint64).reshape(p, 2)
    sums = np.empty((p, 5))
    set_num_threads(min(p, THREADS))
    simulate(S0, K, (r - 0.5 * sigma**2) * dt, sigma * math.sqrt(dt), m, npaths, states, sums)
    x, y, xx, xy, yy = sums.sum(axis=0) / npaths
    xx, xy, yy = xx - x * x, xy - x * y, yy - y * y
    # Without randomness the control explains nothing; 1e-12 is rounding.
    beta = xy / xx if xx > 1e-12 * x * x else 0.0
    price = y - beta * (x - geometric_mean(S0, K, r, sigma, dt, m))
    variance = max(yy - beta * xy, 0.0) / (npaths - 2)
    discount = math.exp(-r * T)
    return float(discount * price), float(discount * math.sqrt(variance))
