"""One matrix product a block: features of the points times all powers of tanh, laid out unit by unit."""

import numpy as np

H = 24


def nn_derivative(theta, x, y, dx, dy):
    a, c, b, w = theta[:-1].reshape(4, -1)
    s = np.tanh(np.outer(a, x) + np.outer(c, y) + b[:, None])
    table = [s, 1 - s * s, -2 * s * (1 - s * s)]
    value = (w * a**dx * c**dy) @ table[dx + dy]
    return value + theta[-1] if dx == dy == 0 else value


def potential(theta, x, y):
    return x * (1 - x) * y * (1 - y) * nn_derivative(theta, x, y, 0, 0)


def loss_gradient(theta, x, y, f, block=512):
    a, c, b, w = theta[:-1].reshape(4, -1)
    units, g, zero = len(a), a * a + c * c, np.zeros(len(a))
    into = np.stack([a, c, b], axis=1)
    polynomial = np.array(
        [
            np.concatenate([-2 * w * g, zero, 2 * w * g]),
            np.concatenate([zero, -2 * w * a, zero]),
            np.concatenate([zero, -2 * w * c, zero]),
            np.concatenate([w, zero, zero]),
        ]
    )
    constant = np.array([[0.0], [2 * (w @ a)], [2 * (w @ c)], [theta[-1]]])
    sums, alone, loss = np.zeros((12, 4 * units)), np.zeros(12), 0.0
    room = np.empty(4 * units * block)
    for first in range(0, len(x), block):
        xb, yb = x[first : first + block], y[first : first + block]
        m = len(xb)
        powers = room[: 4 * units * m].reshape(4, units, m)
        one, two, three, four = powers
        np.matmul(into, np.stack([xb, yb, np.ones(m)]), out=one)
        np.tanh(one, out=one)
        np.multiply(one, one, out=two)
        np.multiply(two, one, out=three)
        np.multiply(two, two, out=four)
        flat = powers.reshape(4 * units, m)
        X, Y = xb * (1 - xb), yb * (1 - yb)
        features = np.stack([X * Y, (1 - 2 * xb) * Y, X * (1 - 2 * yb), -2 * (X + Y)])
        r = ((polynomial @ flat[: 3 * units] + constant) * features).sum(axis=0) + f[first : first + block]
        loss += r @ r
        features *= r
        features = np.concatenate([features, features * xb, features * yb])
        alone += features.sum(axis=1)
        sums += features @ flat.T
    s1, s2, s3, s4 = sums.reshape(12, 4, units).transpose(1, 0, 2)
    d1, d2, d3 = alone[:, None] - s2, 2 * (s3 - s1), -2 * alone[:, None] + 8 * s2 - 6 * s4

    def bias(k):
        return w * (g * d3[k] + 2 * (a * d2[k + 1] + c * d2[k + 2]) + d1[k + 3])

    by_a = bias(4) + 2 * w * (a * d2[0] + d1[1])
    by_c = bias(8) + 2 * w * (c * d2[0] + d1[2])
    by_w = g * d2[0] + 2 * (a * d1[1] + c * d1[2]) + s1[3]
    return float(loss / len(x)), np.concatenate([by_a, by_c, bias(0), by_w, alone[3:4]]) * (2 / len(x))


def train(x, y, f, seed):
    """Adam, with a rate that falls like half a cosine."""
    rng, steps = np.random.default_rng(seed), 2500
    theta = np.concatenate([rng.normal(0, 3, 2 * H), rng.uniform(-3, 3, H), 0.1 * rng.standard_normal(H), [0.0]])
    scale = np.sqrt(np.mean(f * f)) or 1.0
    mean, square = np.zeros((2, theta.size))
    for k in range(1, steps + 1):
        gradient = loss_gradient(theta, x, y, f / scale)[1]
        mean += 0.1 * (gradient - mean)
        square += 0.001 * (gradient**2 - square)
        rate = 0.005 * (1 + np.cos(np.pi * k / steps))
        theta -= rate * mean / (1 - 0.9**k) / (np.sqrt(square / (1 - 0.999**k)) + 1e-8)
    theta[3 * H :] *= scale
    return theta
