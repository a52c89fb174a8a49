# dies by: wrong-answer
# scipy's eighth-order method at its tightest tolerance, for the orbit and its linearisation.
import numpy as np
from scipy.integrate import solve_ivp

MU = 398600.4418


def slope(t, y):
    y = y.reshape(6, 7)
    r, D = y[:3, :1], y[:3, 1:]
    d = np.sqrt((r * r).sum())
    pull = -MU * (D / d**3 - 3 * r * (r * D).sum(axis=0) / d**5)
    return np.concatenate([y[3:], np.concatenate([-MU * r / d**3, pull], axis=1)]).ravel()


def march(r, v, t):
    start = np.concatenate([np.concatenate([r, v])[:, None], np.eye(6)], axis=1).ravel()
    y = solve_ivp(slope, (0.0, t), start, method="DOP853", rtol=3e-14, atol=1e-13).y[:, -1].reshape(6, 7)
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
