# dies by: timed-out
# The gradient by complex steps, one residual for every parameter: exact, and a hundred times the work.
import numpy as np

H = 24


def nn_derivative(theta, x, y, dx, dy):
    a, c, b, w = theta[:-1].reshape(4, -1)
    s = np.tanh(np.outer(x, a) + np.outer(y, c) + b)
    table = (s, 1 - s**2, -2 * s * (1 - s**2))
    return table[dx + dy] @ (w * a**dx * c**dy) + (theta[-1] if dx + dy == 0 else 0.0)


def potential(theta, x, y):
    return x * (1 - x) * y * (1 - y) * nn_derivative(theta, x, y, 0, 0)


def residual(theta, x, y, f):
    a, c, b, w = theta[:-1].reshape(4, -1)
    s = np.tanh(np.outer(x, a) + np.outer(y, c) + b)
    s1 = 1 - s**2
    s2 = -2 * s * s1
    X, Y = x * (1 - x), y * (1 - y)
    lean = 2 * (np.outer((1 - 2 * x) * Y, a) + np.outer(X * (1 - 2 * y), c))
    curve = -2 * (X + Y)
    return (np.outer(X * Y, a**2 + c**2) * s2 + lean * s1 + curve[:, None] * s) @ w + theta[-1] * curve + f


def loss_gradient(theta, x, y, f):
    gradient = np.empty(len(theta))
    for j in range(len(theta)):
        moved = theta.astype(complex)
        moved[j] += 1e-30j
        gradient[j] = np.mean(residual(moved, x, y, f) ** 2).imag / 1e-30
    return float(np.mean(residual(theta, x, y, f) ** 2)), gradient


def train(x, y, f, seed):
    rng = np.random.default_rng(seed)
    theta = np.concatenate([rng.normal(0, 3, 2 * H), rng.uniform(-3, 3, H), 0.1 * rng.standard_normal(H), [0.0]])
    scale = np.sqrt(np.mean(f**2))
    first, second = np.zeros((2, len(theta)))
    steps = 2000
    for k in range(1, steps + 1):
        gradient = loss_gradient(theta, x, y, f / scale)[1]
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        rate = 0.005 * (1 + np.cos(np.pi * k / steps))
        theta = theta - rate * (first / (1 - 0.9**k)) / (np.sqrt(second / (1 - 0.999**k)) + 1e-8)
    theta[3 * H :] *= scale
    return theta
