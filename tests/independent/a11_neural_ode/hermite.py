"""The continuous adjoint, all recordings at once in NumPy, midpoints from the cubic; trained by SciPy's L-BFGS."""

import numpy as np
from scipy.optimize import minimize


def split(p):
    return p[:100].reshape(50, 2), p[100:150], p[150:250].reshape(2, 50), p[250:]


def rate(u, p):
    W1, b1, W2, b2 = split(p)
    return np.tanh((u * u * u) @ W1.T + b1) @ W2.T + b2


def products(y, u, p, weight=1.0):
    """y' df/du for every row, and the weighted sum over rows of y' df/dp."""
    W1, b1, W2, _ = split(p)
    v = u * u * u
    s = np.tanh(v @ W1.T + b1)
    d = (y @ W2) * (1 - s * s)
    by_u = (d @ W1) * (3 * u * u)
    return by_u, weight * np.concatenate([(d.T @ v).ravel(), d.sum(0), (y.T @ s).ravel(), y.sum(0)])


def pullback(y, u, p):
    by_u, by_p = products(y[None], u[None], p)
    return by_u[0], by_p


def forwards(p, u0, t, dt):
    """States at every step's ends, their rates, the steps' lengths, and how many steps come before each datum."""
    u, states, lengths, marks, before = np.array(u0), [np.array(u0)], [], [], 0.0
    for now in t:
        n = int(np.ceil((now - before) / dt - 1e-9)) if now > before else 0
        for _ in range(n):
            h = (now - before) / n
            k1 = rate(u, p)
            k2 = rate(u + h / 2 * k1, p)
            k3 = rate(u + h / 2 * k2, p)
            u = u + h / 6 * (k1 + 2 * (k2 + k3) + rate(u + h * k3, p))
            states.append(u)
            lengths.append(h)
        marks.append(len(lengths))
        before = now
    return states, lengths, marks


def loss_and_gradient(p, u0, t, data, dt):
    states, lengths, marks = forwards(p, u0, t, dt)
    rates = [rate(u, p) for u in states]
    y, gradient, loss = np.zeros_like(states[0]), np.zeros(252), 0.0
    i = len(t) - 1
    for step in range(len(lengths), -1, -1):
        while i >= 0 and marks[i] == step:
            residual = states[step] - data[:, i]
            loss += np.sum(residual**2)
            y = y + 2 * residual
            i -= 1
        if step == 0:
            break
        h, left, right = lengths[step - 1], states[step - 1], states[step]
        middle = (left + right) / 2 + h / 8 * (rates[step - 1] - rates[step])
        l1, g1 = products(y, right, p, h / 6)
        y2 = y + h / 2 * l1
        l2, g2 = products(y2, middle, p, h / 3)
        y3 = y + h / 2 * l2
        l3, g3 = products(y3, middle, p, h / 3)
        y4 = y + h * l3
        l4, g4 = products(y4, left, p, h / 6)
        y = y + h / 6 * (l1 + 2 * (l2 + l3) + l4)
        gradient += g1 + g2 + g3 + g4
    return loss, gradient


def adjoint_grad(p, u0, t, data, dt):
    return loss_and_gradient(np.array(p), u0, t, data, dt)[1]


def train(u0, t, data, seed):
    rng = np.random.default_rng(seed)
    start = rng.standard_normal(252) * np.repeat([0.8, 0.8, 0.2, 0.0], [100, 50, 100, 2])
    p = start
    for share, turns in ((0.4, 60), (1.0, 350)):  # the beginning first, then all of it
        seen = max(int(share * len(t)), 2)
        found = minimize(
            loss_and_gradient, p, (u0, t[:seen], data[:, :seen], 0.05), "L-BFGS-B", jac=True, options={"maxiter": turns}
        )
        p = found.x
    return p
