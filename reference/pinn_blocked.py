"""Reference kernel: loss and gradient of a PINN, in blocks that stay in cache, with matrix products in place of passes.

Formulas, units and layout of theta as in `pinn`. NumPy alone, on one thread.

1. *Powers.* With s = tanh z all derivatives are polynomials in s. The residual is a sum of four features of a point (bubble B, its
   slopes B_x and B_y, its curvature L) times polynomials of degree 3; the gradient the same with degree 4. So it suffices
   to have S, S^2, S^3, S^4 (n × H), and the features times r: everything else is the matrix product of 12 features, or 4,
   with powers.
2. *Blocks.* BLOCK points at a time: four powers of BLOCK × H numbers, 1.5 MB, stay in the second and third cache level, and
   are overwritten in place; larger blocks make products more efficient, smaller ones stay nearer (512 to 4096: within 25 %).
3. *Small matrices at the end.* Sums over points of features times powers, 12 × H numbers for each power, are combined into the
   gradient once, at no cost.

Counts, a point and unit: one tanh (some 2 ns where it is vectorised), 3 products, 10 multiply-adds for the residual, 48 for the
gradient: 120 flops. Memory: 24 bytes a point, read once. Measured: 7.8 ns a point and unit, of it 1.7 ns tanh.
A compiled pass behind NumPy's tanh (solutions/numba_fused.py) is at least as fast; this assignment is about NumPy.

Source: as in `pinn`; the arrangement as matrix products is that of dense layers in any framework.
"""

import numpy as np

UNITS = 24
BLOCK = 2048


def nn_derivative(theta: np.ndarray, x: np.ndarray, y: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """Return the derivative (n,) of N, dx times by x and dy times by y; arguments as in the oracle."""
    a, c, b, w = theta[:-1].reshape(4, -1)
    s = np.tanh(np.outer(x, a) + np.outer(y, c) + b)
    table = (s, 1 - s**2, -2 * s * (1 - s**2))
    return table[dx + dy] @ (w * a**dx * c**dy) + (theta[-1] if dx + dy == 0 else 0.0)


def potential(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return u (n,), V; arguments as in the oracle."""
    return x * (1 - x) * y * (1 - y) * nn_derivative(theta, x, y, 0, 0)


def loss_gradient(theta: np.ndarray, x: np.ndarray, y: np.ndarray, f: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the loss and its gradient (4 H + 1,); arguments as in the oracle."""
    n, H = len(x), len(theta) // 4
    a, c, b, w = theta[:-1].reshape(4, -1)
    d, g = theta[-1], a * a + c * c
    into = np.stack([a, c, b])  # z = (x, y, 1) @ into
    # the residual's polynomial in s: columns B, B_x, B_y, L for every power; constants come from s' = 1 - s²
    zero = np.zeros(H)
    by_power = (
        np.stack([-2 * w * g, zero, zero, w], axis=1),
        np.stack([zero, -2 * w * a, -2 * w * c, zero], axis=1),
        np.stack([2 * w * g, zero, zero, zero], axis=1),
    )
    constant = np.array([0.0, 2 * (w @ a), 2 * (w @ c), d])
    powers = np.empty((4, BLOCK, H))
    features, points = np.empty((12, BLOCK)), np.ones((BLOCK, 3))
    sums, plain, loss = np.zeros((4, 12, H)), np.zeros(12), 0.0
    for first in range(0, n, BLOCK):
        m = min(BLOCK, n - first)
        xb, yb = x[first : first + m], y[first : first + m]
        F, s, point = features[:, :m], powers[:, :m], points[:m]
        point[:, 0], point[:, 1] = xb, yb
        np.dot(point, into, out=s[0])
        np.tanh(s[0], out=s[0])
        np.multiply(s[0], s[0], out=s[1])
        np.multiply(s[1], s[0], out=s[2])
        np.multiply(s[1], s[1], out=s[3])
        X, Y = xb * (1 - xb), yb * (1 - yb)
        F[0], F[1], F[2], F[3] = X * Y, (1 - 2 * xb) * Y, X * (1 - 2 * yb), -2 * (X + Y)
        weights = constant + sum(power @ matrix for power, matrix in zip(s[:3], by_power, strict=True))
        r = np.einsum("nk,kn->n", weights, F[:4]) + f[first : first + m]
        loss += r @ r
        F[:4] *= r
        np.multiply(F[:4], xb, out=F[4:8])
        np.multiply(F[:4], yb, out=F[8:])
        plain += F.sum(axis=1)
        for k in range(4):
            sums[k] += F @ s[k]
    return float(loss / n), 2 / n * _gradient(a, c, w, g, sums, plain)


def _gradient(
    a: np.ndarray, c: np.ndarray, w: np.ndarray, g: np.ndarray, sums: np.ndarray, plain: np.ndarray
) -> np.ndarray:
    """Combine the sums over points of features times powers: rows 0–3 are B, B_x, B_y, L; 4–7 the same times x; 8–11 times y."""
    S1, S2, S3, S4 = sums
    S0 = plain[:, None] * np.ones(len(a))
    one, two, three = S0 - S2, 2 * (S3 - S1), -2 * S0 + 8 * S2 - 6 * S4  # s', s'', s'''

    def by_bias(row: int) -> np.ndarray:
        B, Bx, By, L = range(row, row + 4)
        return w * (g * three[B] + 2 * (a * two[Bx] + c * two[By]) + one[L])

    by_w = g * two[0] + 2 * (a * one[1] + c * one[2]) + S1[3]
    by_a = by_bias(4) + 2 * w * (a * two[0] + one[1])
    by_c = by_bias(8) + 2 * w * (c * two[0] + one[2])
    return np.concatenate([by_a, by_c, by_bias(0), by_w, plain[3:4]])


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
