# dies by: wrong-answer
# The classical Runge–Kutta method, a thousand steps a revolution, for the orbit and its linearisation.
import numpy as np

MU = 398600.4418


def slope(y):
    r, v, D = y[:3, :1], y[3:, :1], y[:3, 1:]
    d = np.sqrt((r * r).sum())
    pull = -MU * (D / d**3 - 3 * r * (r * D).sum(axis=0) / d**5)
    return np.concatenate([y[3:], np.concatenate([-MU * r / d**3, pull], axis=1)])


def march(r, v, t):
    a = 1 / (2 / np.linalg.norm(r) - v @ v / MU)
    steps = 1 + int(min(1000 * abs(t) * np.sqrt(MU / a**3) / (2 * np.pi), 3000))
    y, h = np.concatenate([np.concatenate([r, v])[:, None], np.eye(6)], axis=1), t / steps
    for _ in range(steps):
        k1 = slope(y)
        k2 = slope(y + h / 2 * k1)
        k3 = slope(y + h / 2 * k2)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + slope(y + h * k3))
    return y[:, 0], y[:, 1:]


def propagate(r, v, t):
    return march(r, v, t)[0]


def transition(r, v, t):
    return march(r, v, t)[1]


def covariance(r, v, P, t):
    Phi = transition(r, v, t)
    C = Phi @ P @ Phi.T
    return (C + C.T) / 2


def forecast(x, P, t, out):
    for i in range(len(x)):
        for j in range(len(t)):
            r, v = x[i, :3], x[i, 3:]
            y, C = propagate(r, v, t[j]), covariance(r, v, P[i], t[j])[:3, :3]
            up = y[:3] / np.linalg.norm(y[:3])
            normal = np.cross(r, v) / np.linalg.norm(np.cross(r, v))
            axes = np.array([up, np.cross(normal, up), normal])
            out[i, j] = np.sqrt(np.maximum(np.diag(axes @ C @ axes.T), 0.0))
