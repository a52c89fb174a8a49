"""Reference kernel: arithmetic Asian call by Monte Carlo, threaded and vectorised down to the last function.

    price = exp(-rT) E[max(A - K, 0)],    A = (1/m) sum_j S(jT/m),
    S(t + dt) = S(t) exp((r - sigma^2/2) dt + sigma sqrt(dt) Z)

S0, K and the price in USD, r and sigma^2 per year, T in years; m dates, npaths paths, p threads. Plain Monte Carlo: the
variance is that of npaths independent paths, so that time alone is compared.

- *Numbers.* Counter-based: draw k of a call is the SplitMix64 finaliser of key(seed) + k gamma. The draws of a path
  depend on its index only, block sums are added in the order of blocks: every p gives the same price, bit for bit.
- *Normals.* Box–Muller, without branches: one draw of 64 bits makes two normals, 32 bits of radius (up to 6.8 sigma),
  29 of angle within an eighth turn either way, two for the quadrant.
- *log, sin, cos, exp* are short polynomials on a reduced range, error below 1e-10: a millionth of what 1e8 paths
  leave to chance. They are arithmetic on 64-bit lanes, so the loop over LANES paths becomes vector instructions.
- *Whole registers.* Where a processor has AVX-512, LLVM makes vectors of half a register unless it is asked.
- *Memory.* A block's price and running sum stay in the first cache level; nothing of size npaths or m is ever stored.

Counts, a path and date: about 45 flops and 12 integer operations, half a square root and half a division; no traffic to
memory. Arithmetic is the limit; no instruction works on fewer than a full vector of lanes.

Sources: G. E. P. Box, M. E. Muller, Ann. Math. Statist. 29 (1958); G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014
(SplitMix); J. K. Salmon et al., SC 2011 (counter-based streams).
"""

import math
import threading

import llvmlite.binding as llvm
import numba
import numpy as np
from numba import njit, types
from numba.extending import intrinsic

FEATURES = llvm.get_host_cpu_features()
if FEATURES.get("avx512f"):  # before anything is compiled; Numba wants both or neither
    numba.config.CPU_NAME = llvm.get_host_cpu_name()
    numba.config.CPU_FEATURES = FEATURES.flatten() + ",-prefer-256-bit"

LANES = 256
_U = np.uint64
ONE = _U(0x3FF0000000000000)  # the bits of 1.0
GAMMA = _U(0x9E3779B97F4A7C15)
SQRT_HALF = _U(0x3FE6A09E667F3BCD)
MANTISSA = _U(0x000FFFFFFFFFFFFF)
INTEGER = _U(0x4330000000000000)  # the bits of 2^52: put an integer below to convert it
ROUND = 1.5 * 2.0**52  # added and subtracted, it rounds to an integer, which its low bits then hold


@intrinsic
def _float(typing_context, bits):
    """Reinterpret 64 bits as a float64."""
    return types.float64(types.uint64), lambda context, builder, _, args: builder.bitcast(
        args[0], context.get_value_type(types.float64)
    )


@intrinsic
def _bits(typing_context, value):
    """Reinterpret a float64 as 64 bits."""
    return types.uint64(types.float64), lambda context, builder, _, args: builder.bitcast(
        args[0], context.get_value_type(types.uint64)
    )


@njit(inline="always")
def _mix(z):
    """Scramble a counter (the finaliser of SplitMix64)."""
    z = (z ^ (z >> _U(30))) * _U(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> _U(27))) * _U(0x94D049BB133111EB)
    return z ^ (z >> _U(31))


# Contraction only: reassociation would cancel ROUND. NumPy's error model: tests for division by zero stop vectorisation.
@njit(inline="always", fastmath={"contract"}, error_model="numpy")
def _log(x):
    """Logarithm of a positive normal number: 2 artanh((f - 1)/(f + 1)), sqrt(1/2) <= f < sqrt(2)."""
    shifted = _bits(x) + (ONE - SQRT_HALF)
    exponent = _float((shifted >> _U(52)) | INTEGER) - (2.0**52 + 1023.0)
    f = _float((shifted & MANTISSA) + SQRT_HALF)
    s = (f - 1.0) / (f + 1.0)
    q = s * s
    series = 2.0 + q * (2 / 3 + q * (2 / 5 + q * (2 / 7 + q * (2 / 9 + q * (2 / 11)))))
    return exponent * 0.6931471805599453 + s * series


@njit(inline="always", fastmath={"contract"}, error_model="numpy")
def _exp(x):
    """Exponential for |x| < 700: 2^k times Taylor's polynomial of degree 9 on |rest| <= ln(2)/2."""
    shifted = x * 1.4426950408889634 + ROUND
    t = x - (shifted - ROUND) * 0.6931471805599453
    high = 1 / 120 + t * (1 / 720 + t * (1 / 5040 + t * (1 / 40320 + t * (1 / 362880))))
    return _float((_bits(shifted) << _U(52)) + ONE) * (
        1.0 + t * (1.0 + t * (0.5 + t * (1 / 6 + t * (1 / 24 + t * high))))
    )


@njit(inline="always", fastmath={"contract"}, error_model="numpy")
def _normals(draw):
    """Turn 64 random bits into two independent standard normals."""
    radius = math.sqrt(-2.0 * _log(_float(((draw >> _U(32)) << _U(20)) | ONE) - (1.0 - 2.0**-33)))
    a = (_float(((draw & _U(0x1FFFFFFF)) << _U(23)) | ONE) - (1.5 - 2.0**-30)) * 1.5707963267948966
    q = a * a
    sine = a * (1.0 + q * (-1 / 6 + q * (1 / 120 + q * (-1 / 5040 + q * (1 / 362880 - q * (1 / 39916800))))))
    cosine = 1.0 + q * (-0.5 + q * (1 / 24 + q * (-1 / 720 + q * (1 / 40320 - q * (1 / 3628800)))))
    cosine = _float(_bits(cosine) | ((draw << _U(32)) & _U(1 << 63)))
    swap = (draw >> _U(30)) & _U(1) == _U(1)
    return radius * (sine if swap else cosine), radius * (cosine if swap else sine)


@njit("void(f8, f8, f8, f8, i8, i8, u8, i8, i8, f8, f8[:,::1])", nogil=True, fastmath={"contract"}, error_model="numpy")
def _blocks(S0, K, drift, spread, m, npaths, seed, first, last, shift, sums):
    """Write the sums of (payoff - shift) and of its square, block by block of LANES paths."""
    price, total = np.empty(LANES), np.empty(LANES)
    pairs = (m + 1) // 2
    key = _mix(seed ^ _U(0xA5A5A5A5A5A5A5A5))
    for block in range(first, last):
        price[:] = S0
        total[:] = 0.0
        counter = key + _U(block) * _U(pairs * LANES) * GAMMA
        for pair in range(pairs):
            both = 1.0 if 2 * pair + 1 < m else 0.0
            for i in range(LANES):
                z1, z2 = _normals(_mix(counter + _U(i) * GAMMA))
                one = price[i] * _exp(drift + spread * z1)
                two = one * _exp(drift + spread * z2)
                price[i] = two
                total[i] += one + both * two
            counter += _U(LANES) * GAMMA
        linear = square = 0.0
        for i in range(min(LANES, npaths - block * LANES)):
            excess = max(total[i] / m - K, 0.0) - shift
            linear += excess
            square += excess * excess
        sums[block, 0] = linear
        sums[block, 1] = square


def asian_call(
    S0: float, K: float, r: float, sigma: float, T: float, m: int, npaths: int, seed: int, p: int
) -> tuple[float, float]:
    """Price an arithmetic Asian call by plain Monte Carlo; arguments and results as in the oracle."""
    dt = T / m
    drift, spread = (r - 0.5 * sigma**2) * dt, sigma * math.sqrt(dt)
    # Sums of squares lose digits far from zero; the payoff without randomness is near enough.
    shift = max(S0 * sum(math.exp(r * dt * (j + 1)) for j in range(m)) / m - K, 0.0)
    blocks = -(-npaths // LANES)
    sums = np.empty((blocks, 2))

    def work(k):
        part = blocks * k // p, blocks * (k + 1) // p
        _blocks(S0, K, drift, spread, m, npaths, seed, *part, shift, sums)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(p)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    linear, square = sums.sum(axis=0)
    variance = max(square - linear**2 / npaths, 0.0) / (npaths - 1)
    discount = math.exp(-r * T)
    return float(discount * (shift + linear / npaths)), float(discount * math.sqrt(variance / npaths))
