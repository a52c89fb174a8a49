# dies by: timed-out
# One roll-out for every parameter, moved by an imaginary 1e-30: exact, and a hundred times the work.
import numpy as np

H = 50


def network(u, p):
    return np.tanh(u**3 @ p[: 2 * H].reshape(H, 2).T + p[2 * H : 3 * H]) @ p[3 * H : 5 * H].reshape(2, H).T + p[5 * H :]


def pullback(y, u, p):
    moved = lambda v, j: v + 1e-30j * (np.arange(len(v)) == j)
    by_u = [(y @ network(moved(u, j), p)).imag for j in range(2)]
    return np.array(by_u) / 1e-30, np.array([(y @ network(u, moved(p, j))).imag for j in range(len(p))]) / 1e-30


def adjoint_grad(p, u0, t, data, dt):
    gradient = np.empty(len(p))
    for j in range(len(p)):
        q = p + 1e-30j * (np.arange(len(p)) == j)
        u, before, loss = u0 + 0j, 0.0, 0.0
        for i, time in enumerate(t):
            n = int(np.ceil((time - before) / dt - 1e-9))
            for _ in range(n):
                h = (time - before) / n
                k1 = network(u, q)
                k2 = network(u + h / 2 * k1, q)
                k3 = network(u + h / 2 * k2, q)
                u = u + h / 6 * (k1 + 2 * k2 + 2 * k3 + network(u + h * k3, q))
            before, loss = time, loss + np.sum((u - data[:, i]) ** 2)
        gradient[j] = loss.imag / 1e-30
    return gradient


def train(u0, t, data, seed):
    rng = np.random.default_rng(seed)
    p = np.concatenate([rng.normal(0, 1, 3 * H), rng.normal(0, 0.1, 2 * H), np.zeros(2)])
    for _ in range(1000):
        p = p - 0.01 * adjoint_grad(p, u0, t, data, 0.1) / data.size
    return p
