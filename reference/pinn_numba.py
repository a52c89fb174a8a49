"""Reference kernel: loss and gradient of a PINN in one pass over blocks that stay in the first cache level, in Numba.

Formulas, units and layout of theta as in `pinn`. One core.

1. *Blocks.* BLOCK points at a time: tanh of 24 units, 24 kB, is made, read for the residual, and read again for the gradient.
   Nothing of size n × H is ever stored.
2. *Sums in place of passes.* With s = tanh z all derivatives are polynomials in s. What depends on the point alone is
   multiplied by r once for all units; for a unit seven sums over points remain, from which four gradients follow.
3. *tanh as arithmetic*, 1 - 2/(1 + exp 2z): a polynomial of degree 12 on |rest| <= ln(2)/2, times a power of two put
   together from bits. Off by 3e-16 of 1, not of tanh: small arguments lose relative digits, which sums do not see.
4. *Whole registers.* Where a processor has AVX-512, LLVM makes vectors of half a register unless it is asked.

Counts, a point and unit: 22 operations and a division for tanh, 10 for its argument and the residual, 19 for the gradient, most of them fused
multiply-adds; `flops` of the assignment counts 47, tanh not among them. Memory: 24 bytes a point, read once.
Best NumPy (solutions/matrix_products.py: powers of s and matrix products) takes 5.7 times as long (ladder, Xeon with AVX-512).

Source: as in `pinn`; the exponential after W. J. Cody and W. Waite, *Software Manual for the Elementary Functions* (1980).
"""

import llvmlite.binding as llvm
import numba
import numpy as np
from numba import njit, types
from numba.extending import intrinsic

UNITS = 24
BLOCK = 128
ROUND = 1.5 * 2.0**52  # added and subtracted, it rounds to an integer, which its low bits then hold

FEATURES = llvm.get_host_cpu_features()
if FEATURES.get("avx512f"):  # before anything is compiled; Numba wants both or neither
    numba.config.CPU_NAME = llvm.get_host_cpu_name()
    numba.config.CPU_FEATURES = FEATURES.flatten() + ",-prefer-256-bit"


def nn_derivative(theta: np.ndarray, x: np.ndarray, y: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """Return the derivative (n,) of N, dx times by x and dy times by y; arguments as in the oracle."""
    a, c, b, w = theta[:-1].reshape(4, -1)
    s = np.tanh(np.outer(x, a) + np.outer(y, c) + b)
    table = (s, 1 - s**2, -2 * s * (1 - s**2))
    return table[dx + dy] @ (w * a**dx * c**dy) + (theta[-1] if dx + dy == 0 else 0.0)


def potential(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return u (n,), V; arguments as in the oracle."""
    return x * (1 - x) * y * (1 - y) * nn_derivative(theta, x, y, 0, 0)


@intrinsic
def _power_of_two(typing_context, shifted):
    """Return 2^k for the float64 k + ROUND: its low bits become the exponent."""

    def generate(context, builder, _, args):
        whole = context.get_value_type(types.uint64)
        bits = builder.shl(builder.bitcast(args[0], whole), whole(52))
        return builder.bitcast(builder.add(bits, whole(0x3FF0000000000000)), context.get_value_type(types.float64))

    return types.float64(types.float64), generate


# Contraction only: reassociation would cancel ROUND. NumPy's error model: tests for division by zero stop vectorisation.
@njit("void(f8[:,::1], f8[::1], f8[::1], f8[:,::1])", fastmath={"contract"}, error_model="numpy")
def _tanh(units, x, y, S):
    """Write tanh of every unit (H, m); arguments beyond 20 are taken for 20, where it is 1."""
    for h in range(S.shape[0]):
        a, c, b = 2.0 * units[0, h], 2.0 * units[1, h], 2.0 * units[2, h]
        for i in range(S.shape[1]):
            z = min(max(a * x[i] + c * y[i] + b, -40.0), 40.0)
            shifted = z * 1.4426950408889634 + ROUND
            k = shifted - ROUND
            t = (z - k * 0.6931471805599453) - k * 2.3190468138462996e-17
            e = 1 / 39916800 + t * (1 / 479001600)
            e = 1 / 40320 + t * (1 / 362880 + t * (1 / 3628800 + t * e))
            e = 1 / 24 + t * (1 / 120 + t * (1 / 720 + t * (1 / 5040 + t * e)))
            e = 1.0 + t * (1.0 + t * (0.5 + t * (1 / 6 + t * e)))
            S[h, i] = 1.0 - 2.0 / (1.0 + e * _power_of_two(shifted))


@njit("void(f8[:,::1], f8, f8[::1], f8[::1], f8[::1], f8[:,::1], f8[:,::1], f8[::1])", fastmath=True)
def _block(units, d, x, y, f, S, rows, sums):
    """Add a block of points to the gradients by a, c, b and w (4, H), and to the sums of r^2 and of L r."""
    H, m = S.shape
    B, U, V, L, r = np.empty((5, BLOCK))  # bubble, twice its slopes, its curvature, residual
    for i in range(m):
        X, Y = x[i] * (1 - x[i]), y[i] * (1 - y[i])
        B[i], L[i] = X * Y, -2 * (X + Y)
        U[i], V[i] = 2 * (1 - 2 * x[i]) * Y, 2 * X * (1 - 2 * y[i])
        r[i] = f[i] + d * L[i]
    for h in range(H):
        a, c, w = units[0, h], units[1, h], units[3, h]
        wa, wc, wg = w * a, w * c, -2 * w * (a * a + c * c)
        for i in range(m):
            s = S[h, i]
            r[i] += (1 - s * s) * (wa * U[i] + wc * V[i] + wg * s * B[i]) + w * s * L[i]
    square = curve = 0.0
    for i in range(m):
        square += r[i] * r[i]
        B[i] *= r[i]
        U[i] *= r[i]
        V[i] *= r[i]
        L[i] *= r[i]
        curve += L[i]
    sums[0] += square
    sums[1] += curve
    for h in range(H):
        a, c, w = units[0, h], units[1, h], units[3, h]
        g = a * a + c * c
        z = zx = zy = b2 = u1 = v1 = l0 = 0.0
        for i in range(m):
            s = S[h, i]
            s1 = 1 - s * s
            s2 = -2 * s * s1
            by_z = g * B[i] * s1 * (6 * s * s - 2) + (a * U[i] + c * V[i]) * s2 + L[i] * s1
            z += by_z
            zx += by_z * x[i]
            zy += by_z * y[i]
            b2 += B[i] * s2
            u1 += U[i] * s1
            v1 += V[i] * s1
            l0 += L[i] * s
        rows[0, h] += w * (zx + 2 * a * b2 + u1)
        rows[1, h] += w * (zy + 2 * c * b2 + v1)
        rows[2, h] += w * z
        rows[3, h] += g * b2 + a * u1 + c * v1 + l0


@njit("void(f8[:,::1], f8, f8[::1], f8[::1], f8[::1], f8[:,::1], f8[::1])")
def _points(units, d, x, y, f, rows, sums):
    """Take all points, block by block; arguments as in _block."""
    for first in range(0, len(x), BLOCK):
        part = slice(first, min(first + BLOCK, len(x)))
        S = np.empty((units.shape[1], part.stop - first))
        _tanh(units, x[part], y[part], S)
        _block(units, d, x[part], y[part], f[part], S, rows, sums)


def loss_gradient(theta: np.ndarray, x: np.ndarray, y: np.ndarray, f: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the loss and its gradient (4 H + 1,); arguments as in the oracle."""
    units, x, y, f = (np.ascontiguousarray(v) for v in (theta[:-1].reshape(4, -1), x, y, f))
    rows, sums = np.zeros(units.shape), np.zeros(2)
    _points(units, float(theta[-1]), x, y, f, rows, sums)
    return float(sums[0] / len(x)), np.append(rows, sums[1]) * (2 / len(x))


def train(x: np.ndarray, y: np.ndarray, f: np.ndarray, seed: int) -> np.ndarray:
    """Return trained parameters (97,): Adam with a falling rate; arguments as in the oracle."""
    rng = np.random.default_rng(seed)
    theta = np.concatenate(
        [rng.normal(0, 3, 2 * UNITS), rng.uniform(-3, 3, UNITS), 0.1 * rng.standard_normal(UNITS), [0.0]]
    )
    scale = float(np.sqrt(np.mean(f**2))) or 1.0
    first, second = np.zeros((2, len(theta)))
    steps = 2000
    for k in range(1, steps + 1):
        gradient = loss_gradient(theta, x, y, f / scale)[1]
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        rate = 0.005 * (1 + np.cos(np.pi * k / steps))
        theta = theta - rate * (first / (1 - 0.9**k)) / (np.sqrt(second / (1 - 0.999**k)) + 1e-8)
    theta[3 * UNITS :] *= scale
    return theta
