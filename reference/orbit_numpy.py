"""Baseline: two-body motion and its uncertainty in whole-array NumPy, one object after the other.

Formula and arguments as in `orbit`; `forecast` fills an array. All times of an object are one array. Kepler's equation is
solved by Newton's method, with steps of at most 1, until the last of the times has settled; the six columns of the transition
matrix come by the complex step, for which one more step of Newton's method, on complex numbers, carries the derivative. Some
600 array operations an object, half of them on complex numbers; with k = 700 an array has 6 or 11 kB and stays in the first
cache level, so that what is paid for is arithmetic on complex numbers that are nearly real, above all their sines and cosines,
and the calls.
"""

import numpy as np

MU = 398600.4418  # km³/s²
STEP = 1e-40


def _shape(r, v):
    """Return |r|, a, n, e cos E0, e sin E0, of real or complex numbers."""
    r0 = np.sqrt(r @ r)
    a = 1 / (2 / r0 - v @ v / MU)
    return r0, a, np.sqrt(MU / a**3), 1 - r0 / a, (r @ v) / np.sqrt(MU * a)


def _anomalies(r, v, t):
    """Differences of eccentric anomaly (k,) within half a turn, and whole turns (k,), at times t (k,)."""
    _, _, n, cosine, sine = _shape(r, v)
    whole = 2 * np.pi * np.round(n * t / (2 * np.pi))
    turn = n * t - whole
    x = turn + cosine * np.sin(turn) - sine * (1 - np.cos(turn))
    for _ in range(60):
        residual = x - cosine * np.sin(x) + sine * (1 - np.cos(x)) - turn
        step = np.clip(residual / (1 - cosine * np.cos(x) + sine * np.sin(x)), -1, 1)
        x = x - step
        if np.abs(step).max(initial=0.0) < 1e-13:
            break
    return x, whole


def _move(r, v, t, x, whole):
    """States (6, k) at times t (k,) from r, v (3,), real or complex; x (k,) solves Kepler's equation for their real parts."""
    r0, a, n, cosine, sine = _shape(r, v)
    s, c = np.sin(x), np.cos(x)
    x = x - (x - cosine * s + sine * (1 - c) - (n * t - whole)) / (1 - cosine * c + sine * s)
    s, c = np.sin(x), np.cos(x)
    f, g = 1 - a / r0 * (1 - c), t - (x + whole - s) / n
    r1 = a * (1 - cosine * c + sine * s)
    f_dot, g_dot = -np.sqrt(MU * a) * s / (r0 * r1), 1 - a / r1 * (1 - c)
    return np.concatenate([f * r[:, None] + g * v[:, None], f_dot * r[:, None] + g_dot * v[:, None]])


def _transitions(r, v, t, x, whole):
    """Transition matrices (6, 6, k) at times t (k,)."""
    Phi = np.empty((6, 6, len(t)))
    for j in range(6):
        y = np.concatenate([r, v]).astype(complex)
        y[j] += 1j * STEP
        Phi[:, j] = _move(y[:3], y[3:], t, x, whole).imag / STEP
    return Phi


def propagate(r: np.ndarray, v: np.ndarray, t: float) -> np.ndarray:
    """Return position and velocity (6,) at time t; arguments as in the oracle."""
    times = np.array([t])
    return _move(r, v, times, *_anomalies(r, v, times))[:, 0]


def transition(r: np.ndarray, v: np.ndarray, t: float) -> np.ndarray:
    """Return d(r', v')/d(r, v), (6, 6); arguments as in the oracle."""
    times = np.array([t])
    return _transitions(r, v, times, *_anomalies(r, v, times))[:, :, 0]


def covariance(r: np.ndarray, v: np.ndarray, P: np.ndarray, t: float) -> np.ndarray:
    """Return Phi P Phi^T, (6, 6); arguments as in the oracle."""
    Phi = transition(r, v, t)
    C = Phi @ P @ Phi.T
    return (C + C.T) / 2


def forecast(x: np.ndarray, P: np.ndarray, t: np.ndarray, out: np.ndarray) -> None:
    """Fill `out` (m, k, 3) with standard deviations along R, T, N, km; other arguments as in the oracle."""
    for i in range(len(x)):
        r, v = x[i, :3], x[i, 3:]
        solved = _anomalies(r, v, t)
        y = _move(r, v, t, *solved)
        Phi = _transitions(r, v, t, *solved)[:3]
        up = y[:3] / np.sqrt((y[:3] ** 2).sum(axis=0))
        normal = np.cross(r, v) / np.linalg.norm(np.cross(r, v))
        along = np.cross(normal, up.T).T
        for d, axis in enumerate((up, along, np.repeat(normal[:, None], len(t), axis=1))):
            w = (axis[:, None] * Phi).sum(axis=0)
            out[i, :, d] = np.sqrt(np.maximum((w * (P[i] @ w)).sum(axis=0), 0))
