"""Numba with complex steps: the formulas between two points once for each start that moves by a tiny imaginary length."""

import math

import numpy as np
from numba import njit

MU, TINY, ROUND = 398600.4418, 1e-40, 2 * math.pi


@njit(error_model="numpy")
def anomaly(turn, c, s):
    """Return x, less whole turns, and what of the turn is left without them."""
    rest = turn - ROUND * math.floor(turn / ROUND + 0.5)
    low, high = rest - 2.0, rest + 2.0
    x = rest + c * math.sin(rest) - s * (1 - math.cos(rest))
    for _ in range(200):
        half = math.sin(0.5 * x)
        wrong = x - c * math.sin(x) + 2 * s * half * half - rest
        if wrong > 0:
            high = min(high, x)
        else:
            low = max(low, x)
        new = x - wrong / (1 - c * math.cos(x) + s * math.sin(x))
        if not (low <= new <= high):
            new = 0.5 * (low + high)
        if abs(new - x) <= 1e-16 * abs(x) or new == x:
            break
        x = new
    return x


@njit(error_model="numpy")
def orbit(y):
    """Return 1/r0, a, the mean motion, r0/a and s of a (complex) start, and the root of mu a."""
    r0 = np.sqrt(y[0] * y[0] + y[1] * y[1] + y[2] * y[2])
    a = 1.0 / (2.0 / r0 - (y[3] * y[3] + y[4] * y[4] + y[5] * y[5]) / MU)
    root = np.sqrt(MU * a)
    return 1.0 / r0, a, root / (a * a), r0 / a, (y[0] * y[3] + y[1] * y[4] + y[2] * y[5]) / root, root


@njit(error_model="numpy")
def weights(o, x, sx, cx, t, turning):
    """Return f, g and their rates; x solves Kepler's equation with the real parts, its imaginary part is found here."""
    back, a, n, q, s, root = o
    slope = 1.0 - (1.0 - q.real) * cx + s.real * sx
    less = turning
    dx = (t * n.imag - q.imag * sx - s.imag * less) / slope
    sin, one = complex(sx, cx * dx), complex(less, sx * dx)  # sin x and 1 - cos x
    far = q + (1.0 - q) * one + s * sin
    share = one / far
    return 1.0 - a * back * one, (q * sin + s * one) / n, -root * back / a * sin / far, 1.0 - share


@njit(error_model="numpy")
def starts(y, orbits):
    z = np.empty(6, np.complex128)
    for j in range(6):
        z[:] = y
        z[j] += TINY * 1j
        orbits[j] = orbit(z)


@njit(error_model="numpy")
def carry(y, orbits, t, state, Phi):
    """Fill the state (6,) at a time and the derivatives (6, 6) of it."""
    o = orbits[0]
    x = anomaly((t * o[2]).real, 1.0 - o[3].real, o[4].real)
    sx, cx, half = math.sin(x), math.cos(x), math.sin(0.5 * x)
    for j in range(6):
        f, g, F, G = weights(
            (orbits[j, 0], orbits[j, 1], orbits[j, 2], orbits[j, 3], orbits[j, 4], orbits[j, 5]),
            x,
            sx,
            cx,
            t,
            2 * half * half,
        )
        for i in range(3):
            Phi[i, j] = (f.imag * y[i] + g.imag * y[3 + i]) / TINY
            Phi[3 + i, j] = (F.imag * y[i] + G.imag * y[3 + i]) / TINY
        for i in range(3):
            if j == i:
                Phi[i, j] += f.real
                Phi[3 + i, j] += F.real
            elif j == 3 + i:
                Phi[i, j] += g.real
                Phi[3 + i, j] += G.real
        if j == 0:
            for i in range(3):
                state[i] = f.real * y[i] + g.real * y[3 + i]
                state[3 + i] = F.real * y[i] + G.real * y[3 + i]


@njit(error_model="numpy")
def look_ahead(x, P, t, out):
    orbits, state, Phi = np.empty((6, 6), np.complex128), np.empty(6), np.empty((6, 6))
    axes, w = np.empty((3, 3)), np.empty(6)
    for o in range(len(x)):
        y = x[o]
        starts(y, orbits)
        for k in range(len(t)):
            carry(y, orbits, t[k], state, Phi)
            axes[0] = state[:3] / math.sqrt(state[0] ** 2 + state[1] ** 2 + state[2] ** 2)
            for i in range(3):
                axes[2, i] = state[(i + 1) % 3] * state[3 + (i + 2) % 3] - state[(i + 2) % 3] * state[3 + (i + 1) % 3]
            axes[2] /= math.sqrt(axes[2, 0] ** 2 + axes[2, 1] ** 2 + axes[2, 2] ** 2)
            for i in range(3):
                axes[1, i] = axes[2, (i + 1) % 3] * axes[0, (i + 2) % 3] - axes[2, (i + 2) % 3] * axes[0, (i + 1) % 3]
            for d in range(3):
                variance = 0.0
                for j in range(6):
                    w[j] = axes[d, 0] * Phi[0, j] + axes[d, 1] * Phi[1, j] + axes[d, 2] * Phi[2, j]
                for j in range(6):
                    part = 0.0
                    for i in range(6):
                        part += P[o, j, i] * w[i]
                    variance += w[j] * part
                out[o, k, d] = math.sqrt(max(variance, 0.0))


def plain(*arrays):
    return [np.array(x, dtype=float, order="C") for x in arrays]


def both(r, v, t):
    y = np.concatenate(plain(r, v))
    orbits, state, Phi = np.empty((6, 6), np.complex128), np.empty(6), np.empty((6, 6))
    starts(y, orbits)
    carry(y, orbits, float(t), state, Phi)
    return state, Phi


def propagate(r, v, t):
    return both(r, v, t)[0]


def transition(r, v, t):
    return both(r, v, t)[1]


def covariance(r, v, P, t):
    Phi = both(r, v, t)[1]
    C = Phi @ np.array(P, dtype=float) @ Phi.T
    return (C + C.T) / 2


def forecast(x, P, t, out):
    look_ahead(*plain(x, P, t), out)


both([7000.0, 0.0, 0.0], [0.0, 7.5, 0.0], 1.0)
forecast(np.array([[7000.0, 0.0, 0.0, 0.0, 7.5, 0.0]]), np.eye(6)[None], np.ones(1), np.empty((1, 1, 3)))
