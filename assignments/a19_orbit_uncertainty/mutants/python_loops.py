# dies by: timed-out
# Right, but one object and one time after the other, in Python.
import numpy as np

MU = 398600.4418


def kepler(turn, cosine, sine):
    """x - cosine sin x + sine (1 - cos x) = turn, Newton's method between bounds."""
    whole = 2 * np.pi * np.round(turn / (2 * np.pi))
    turn -= whole
    low, high, x = turn - 2, turn + 2, turn
    for _ in range(100):
        residual = x - cosine * np.sin(x) + 2 * sine * np.sin(x / 2) ** 2 - turn
        low, high = (x, high) if residual < 0 else (low, x)
        following = x - residual / (1 - cosine * np.cos(x) + sine * np.sin(x))
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - x) < 4e-16:
            break
        x = following
    return x, whole


def solve(r, v, t):
    r0, root = np.sqrt(r @ r), np.sqrt(MU)
    alpha, sigma = 2 / r0 - v @ v / MU, (r @ v) / root
    a = 1 / alpha
    x, whole = kepler(np.sqrt(MU * alpha) * alpha * t, 1 - r0 * alpha, sigma * np.sqrt(alpha))
    chi = np.sqrt(a) * (x + whole)
    U0, U1, U2, U3 = np.cos(x), np.sqrt(a) * np.sin(x), 2 * a * np.sin(x / 2) ** 2, a * (chi - np.sqrt(a) * np.sin(x))
    r1 = r0 * U0 + sigma * U1 + U2
    # g from Kepler's equation itself, so that turns do not enter
    fg = np.array([[1 - U2 / r0, (r0 * U1 + sigma * U2) / root], [-root * U1 / (r0 * r1), 1 - U2 / r1]])
    return r0, r1, alpha, sigma, chi, (U0, U1, U2, U3), fg


def propagate(r, v, t):
    return (solve(r, v, t)[-1] @ np.array([r, v])).ravel()


def transition(r, v, t):
    r0, r1, alpha, sigma, chi, (U0, U1, U2, U3), fg = solve(r, v, t)
    root, none = np.sqrt(MU), np.zeros(3)
    d_r0, d_sigma = np.concatenate([r / r0, none]), np.concatenate([v, r]) / root
    d_alpha = np.concatenate([-2 * r / r0**3, -2 * v / MU])
    by_alpha = [-chi * U1 / 2, (U3 - chi * U2) / 2, (chi * U1 - 2 * U2) / (2 * alpha), (chi * U2 - 3 * U3) / (2 * alpha)]
    d_chi = -(U1 * d_r0 + U2 * d_sigma + (r0 * by_alpha[1] + sigma * by_alpha[2] + by_alpha[3]) * d_alpha) / r1
    dU0, dU1, dU2, dU3 = (
        slope * d_chi + partial * d_alpha for slope, partial in zip((-alpha * U1, U0, U1, U2), by_alpha, strict=True)
    )
    d_r1 = U0 * d_r0 + r0 * dU0 + U1 * d_sigma + sigma * dU1 + dU2
    d_f, d_g = U2 / r0**2 * d_r0 - dU2 / r0, -dU3 / root
    d_fdot = -root * dU1 / (r0 * r1) - fg[1, 0] * (d_r0 / r0 + d_r1 / r1)
    d_gdot = U2 / r1**2 * d_r1 - dU2 / r1
    moved = np.concatenate([np.outer(r, d_f) + np.outer(v, d_g), np.outer(r, d_fdot) + np.outer(v, d_gdot)])
    return np.kron(fg, np.eye(3)) + moved


def covariance(r, v, P, t):
    Phi = transition(r, v, t)
    C = Phi @ P @ Phi.T
    return 0.5 * (C + C.T)


def forecast(x, P, t):
    out = np.empty((len(x), len(t), 3))
    for i in range(len(x)):
        for j in range(len(t)):
            r, v = x[i, :3], x[i, 3:]
            y, C = propagate(r, v, t[j]), covariance(r, v, P[i], t[j])[:3, :3]
            up = y[:3] / np.linalg.norm(y[:3])
            normal = np.cross(r, v) / np.linalg.norm(np.cross(r, v))
            axes = np.array([up, np.cross(normal, up), normal])
            out[i, j] = np.sqrt(np.maximum(np.diag(axes @ C @ axes.T), 0.0))
    return out
