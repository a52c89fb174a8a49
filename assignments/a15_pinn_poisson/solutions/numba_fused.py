"""NumPy for tanh, Numba for everything behind it in one pass; training by Gauss–Newton with a damping (Levenberg–Marquardt)."""

import numpy as np
from numba import njit

H = 24


def nn_derivative(theta, x, y, dx, dy):
    a, c, b, w = theta[:-1].reshape(4, -1)
    s = np.tanh(np.outer(x, a) + np.outer(y, c) + b)
    chain = {0: s, 1: 1 - s**2, 2: 2 * s**3 - 2 * s}[dx + dy]
    return (chain * (w * a**dx * c**dy)).sum(axis=1) + theta[-1] * (dx + dy == 0)


def potential(theta, x, y):
    return x * (1 - x) * y * (1 - y) * nn_derivative(theta, x, y, 0, 0)


@njit("void(f8[:,::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[:,::1], f8[::1])", fastmath=True)
def points(S, x, y, f, theta, rows, loss):
    """S holds tanh, unit by unit; adds to rows, one for each of a, c, b, w, and to the sums of r² and of L r."""
    units, m = S.shape
    bubble, lean_x, lean_y, curve, r = np.empty((5, m))
    for i in range(m):
        X, Y = x[i] * (1 - x[i]), y[i] * (1 - y[i])
        bubble[i], curve[i] = X * Y, -2 * (X + Y)
        lean_x[i], lean_y[i] = 2 * (1 - 2 * x[i]) * Y, 2 * X * (1 - 2 * y[i])
        r[i] = f[i] + theta[4 * units] * curve[i]
    for h in range(units):
        a, c, w = theta[h], theta[units + h], theta[3 * units + h]
        g = a * a + c * c
        for i in range(m):
            s = S[h, i]
            first = 1 - s * s
            r[i] += w * (first * (a * lean_x[i] + c * lean_y[i] - 2 * s * g * bubble[i]) + curve[i] * s)
    for h in range(units):
        a, c, w = theta[h], theta[units + h], theta[3 * units + h]
        g = a * a + c * c
        by_a = by_c = by_b = by_w = 0.0
        for i in range(m):
            s = S[h, i]
            first = 1 - s * s
            second = -2 * s * first
            third = first * (6 * s * s - 2)
            slope = a * lean_x[i] + c * lean_y[i]
            bias = r[i] * (g * bubble[i] * third + slope * second + curve[i] * first)
            by_b += bias
            by_a += bias * x[i] + r[i] * (2 * a * bubble[i] * second + lean_x[i] * first)
            by_c += bias * y[i] + r[i] * (2 * c * bubble[i] * second + lean_y[i] * first)
            by_w += r[i] * (g * bubble[i] * second + slope * first + curve[i] * s)
        rows[0, h] += w * by_a
        rows[1, h] += w * by_c
        rows[2, h] += w * by_b
        rows[3, h] += by_w
    for i in range(m):
        loss[0] += r[i] * r[i]
        loss[1] += r[i] * curve[i]


def loss_gradient(theta, x, y, f):
    x, y, f, theta = (np.ascontiguousarray(v) for v in (x, y, f, theta))
    a, c, b = theta[:-1].reshape(4, -1)[:3]
    rows, loss = np.zeros((4, len(a))), np.zeros(2)
    for i in range(0, len(x), 1024):
        part = slice(i, i + 1024)
        z = np.stack([a, c, b], axis=1) @ np.stack([x[part], y[part], np.ones(len(x[part]))])
        points(np.tanh(z, out=z), x[part], y[part], f[part], theta, rows, loss)
    return float(loss[0] / len(x)), np.append(rows, loss[1]) * (2 / len(x))


def residuals(theta, x, y, f):
    """Residuals and their derivatives by every parameter."""
    a, c, b, w = theta[:-1].reshape(4, -1)
    s = np.tanh(np.outer(x, a) + np.outer(y, c) + b)
    first, (x, y) = 1 - s * s, (x[:, None], y[:, None])
    second, third = -2 * s * first, first * (6 * s * s - 2)
    X, Y, g = x * (1 - x), y * (1 - y), a * a + c * c
    lean_x, lean_y, curve = 2 * (1 - 2 * x) * Y, 2 * X * (1 - 2 * y), -2 * (X + Y)
    slope = a * lean_x + c * lean_y
    by_w = X * Y * g * second + slope * first + curve * s
    by_b = w * (X * Y * g * third + slope * second + curve * first)
    by_a = by_b * x + w * (2 * a * X * Y * second + lean_x * first)
    by_c = by_b * y + w * (2 * c * X * Y * second + lean_y * first)
    return by_w @ w + theta[-1] * curve[:, 0] + f, np.hstack([by_a, by_c, by_b, by_w, curve])


def train(x, y, f, seed):
    """The best of several descents that start from different units, each of a hundred damped steps."""
    scale = np.sqrt(np.mean(f * f)) or 1.0
    rng, best, least = np.random.default_rng(seed), np.zeros(4 * H + 1), np.inf
    keep = np.arange(len(x)) % 5 > 0  # every fifth point judges
    for _ in range(6):
        theta = np.concatenate([rng.normal(0, 2, 2 * H), rng.uniform(-2, 2, H), 0.1 * rng.standard_normal(H), [0.0]])
        damping, (r, J) = 0.01, residuals(theta, x[keep], y[keep], f[keep] / scale)
        for _ in range(100):
            step = np.linalg.solve(J.T @ J + damping * np.eye(theta.size), J.T @ r)
            tried = theta - step
            r_tried, J_tried = residuals(tried, x[keep], y[keep], f[keep] / scale)
            if r_tried @ r_tried < r @ r:
                theta, r, J, damping = tried, r_tried, J_tried, max(damping / 3, 1e-4)
            else:
                damping *= 4
        judged = np.abs(residuals(theta, x[~keep], y[~keep], f[~keep] / scale)[0]).mean()
        if judged < least:
            best, least = theta, judged
    best[3 * H :] *= scale
    return best
