# dies by: too-slow
# PyTorch differentiates the loss, backwards through two derivatives: right, and costs what graphs cost (training, which would take minutes, has derivatives by hand).
import numpy as np
import torch

torch.set_num_threads(1)

H = 24


def nn_derivative(theta, x, y, dx, dy):
    a, c, b, w = theta[:-1].reshape(4, -1)
    s = np.tanh(np.outer(x, a) + np.outer(y, c) + b)
    table = (s, 1 - s**2, -2 * s * (1 - s**2))
    return table[dx + dy] @ (w * a**dx * c**dy) + (theta[-1] if dx + dy == 0 else 0.0)


def potential(theta, x, y):
    return x * (1 - x) * y * (1 - y) * nn_derivative(theta, x, y, 0, 0)


def right(theta, x, y, f):
    a, c, b, w = theta[:-1].reshape(4, -1)
    s = np.tanh(np.outer(x, a) + np.outer(y, c) + b)
    s1 = 1 - s**2
    s2 = -2 * s * s1
    s3 = -2 * s1 * (1 - 3 * s**2)
    X, Y = x * (1 - x), y * (1 - y)
    bubble, slope_x, slope_y, curve = X * Y, (1 - 2 * x) * Y, X * (1 - 2 * y), -2 * (X + Y)
    g = a**2 + c**2
    lean = 2 * (np.outer(slope_x, a) + np.outer(slope_y, c))
    by_w = np.outer(bubble, g) * s2 + lean * s1 + curve[:, None] * s
    r = by_w @ w + theta[-1] * curve + f
    by_b = w * (np.outer(bubble, g) * s3 + lean * s2 + curve[:, None] * s1)
    by_a = by_b * x[:, None] + 2 * w * (np.outer(bubble, a) * s2 + slope_x[:, None] * s1)
    by_c = by_b * y[:, None] + 2 * w * (np.outer(bubble, c) * s2 + slope_y[:, None] * s1)
    gradient = np.concatenate([r @ by_a, r @ by_c, r @ by_b, r @ by_w, [r @ curve]])
    return float(np.mean(r**2)), 2 / len(x) * gradient


def loss_gradient(theta, x, y, f):
    parts = [slice(first, first + 50_000) for first in range(0, len(x), 50_000)]  # graphs of all points would not fit
    sums, gradients = zip(*(summed(theta, x[part], y[part], f[part]) for part in parts), strict=True)
    return sum(sums) / len(x), sum(gradients) / len(x)


def summed(theta, x, y, f):
    theta, f = torch.tensor(theta, requires_grad=True), torch.tensor(f)
    x, y = torch.tensor(x, requires_grad=True), torch.tensor(y, requires_grad=True)
    a, c, b, w = theta[:-1].reshape(4, -1)
    u = x * (1 - x) * y * (1 - y) * (torch.tanh(torch.outer(x, a) + torch.outer(y, c) + b) @ w + theta[-1])
    u_x, u_y = torch.autograd.grad(u.sum(), (x, y), create_graph=True)
    u_xx = torch.autograd.grad(u_x.sum(), x, create_graph=True)[0]
    u_yy = torch.autograd.grad(u_y.sum(), y, create_graph=True)[0]
    loss = ((u_xx + u_yy + f) ** 2).sum()
    return loss.item(), torch.autograd.grad(loss, theta)[0].numpy()


def train(x, y, f, seed):
    rng = np.random.default_rng(seed)
    theta = np.concatenate([rng.normal(0, 3, 2 * H), rng.uniform(-3, 3, H), 0.1 * rng.standard_normal(H), [0.0]])
    scale = np.sqrt(np.mean(f**2))
    first, second = np.zeros((2, len(theta)))
    steps = 2000
    for k in range(1, steps + 1):
        gradient = right(theta, x, y, f / scale)[1]
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        rate = 0.005 * (1 + np.cos(np.pi * k / steps))
        theta = theta - rate * (first / (1 - 0.9**k)) / (np.sqrt(second / (1 - 0.999**k)) + 1e-8)
    theta[3 * H :] *= scale
    return theta
