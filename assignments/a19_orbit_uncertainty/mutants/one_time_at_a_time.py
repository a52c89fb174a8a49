# dies by: too-slow
# Right and compiled, but a whole matrix for every object and time, Newton until it settles, and no register is filled.
import numpy as np
from numba import njit

MU = 398600.4418


@njit("f8[:,::1](f8[::1], f8[::1], f8, f8[::1])", error_model="numpy")
def matrix(r, v, t, y):
    r0, root = np.sqrt((r * r).sum()), np.sqrt(MU)
    alpha, sigma = 2 / r0 - (v * v).sum() / MU, (r * v).sum() / root
    cosine, sine, turn = 1 - r0 * alpha, sigma * np.sqrt(alpha), np.sqrt(MU * alpha) * alpha * t
    whole = 2 * np.pi * np.round(turn / (2 * np.pi))
    turn -= whole
    low, high, x = turn - 2, turn + 2, turn
    for _ in range(100):
        residual = x - cosine * np.sin(x) + 2 * sine * np.sin(x / 2) ** 2 - turn
        if residual < 0:
            low = x
        else:
            high = x
        following = x - residual / (1 - cosine * np.cos(x) + sine * np.sin(x))
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - x) < 4e-16:
            break
        x = following
    a = 1 / alpha
    chi, U0, U1, U2 = np.sqrt(a) * (x + whole), np.cos(x), np.sqrt(a) * np.sin(x), 2 * a * np.sin(x / 2) ** 2
    U3 = a * (chi - U1)
    r1 = r0 * U0 + sigma * U1 + U2
    f, g, fd, gd = 1 - U2 / r0, (r0 * U1 + sigma * U2) / root, -root * U1 / (r0 * r1), 1 - U2 / r1
    p0, p1, p2, p3 = -chi * U1 / 2, (U3 - chi * U2) / 2, (chi * U1 - 2 * U2) * a / 2, (chi * U2 - 3 * U3) * a / 2
    Phi = np.zeros((6, 6))
    for j in range(6):
        dr0 = r[j] / r0 if j < 3 else 0.0
        ds = v[j] / root if j < 3 else r[j - 3] / root
        da = -2 * r[j] / r0**3 if j < 3 else -2 * v[j - 3] / MU
        dx = -(U1 * dr0 + U2 * ds + (r0 * p1 + sigma * p2 + p3) * da) / r1
        d0, d1, d2, d3 = p0 * da - alpha * U1 * dx, p1 * da + U0 * dx, p2 * da + U1 * dx, p3 * da + U2 * dx
        dr1 = U0 * dr0 + r0 * d0 + U1 * ds + sigma * d1 + d2
        df, dg = U2 / r0**2 * dr0 - d2 / r0, -d3 / root
        dfd, dgd = -root * d1 / (r0 * r1) - fd * (dr0 / r0 + dr1 / r1), U2 / r1**2 * dr1 - d2 / r1
        for i in range(3):
            Phi[i, j] = r[i] * df + v[i] * dg
            Phi[3 + i, j] = r[i] * dfd + v[i] * dgd
    for i in range(3):
        Phi[i, i] += f
        Phi[i, 3 + i] += g
        Phi[3 + i, i] += fd
        Phi[3 + i, 3 + i] += gd
        y[i], y[3 + i] = f * r[i] + g * v[i], fd * r[i] + gd * v[i]
    return Phi


@njit("void(f8[:,::1], f8[:,:,::1], f8[::1], f8[:,:,::1])", error_model="numpy")
def everybody(x, P, t, out):
    y, w, axes = np.empty(6), np.empty(6), np.empty((3, 3))
    for o in range(x.shape[0]):
        r, v = x[o, :3].copy(), x[o, 3:].copy()
        for i in range(3):
            axes[2, i] = r[(i + 1) % 3] * v[(i + 2) % 3] - r[(i + 2) % 3] * v[(i + 1) % 3]
        axes[2] /= np.sqrt((axes[2] * axes[2]).sum())
        for j in range(t.shape[0]):
            Phi = matrix(r, v, t[j], y)
            axes[0] = y[:3] / np.sqrt(y[0] * y[0] + y[1] * y[1] + y[2] * y[2])
            for i in range(3):
                axes[1, i] = axes[2, (i + 1) % 3] * axes[0, (i + 2) % 3] - axes[2, (i + 2) % 3] * axes[0, (i + 1) % 3]
            for d in range(3):
                variance = 0.0
                for a in range(6):
                    w[a] = axes[d, 0] * Phi[0, a] + axes[d, 1] * Phi[1, a] + axes[d, 2] * Phi[2, a]
                for a in range(6):
                    for b in range(6):
                        variance += w[a] * P[o, a, b] * w[b]
                out[o, j, d] = np.sqrt(max(variance, 0.0))


def propagate(r, v, t):
    y = np.empty(6)
    matrix(np.ascontiguousarray(r), np.ascontiguousarray(v), t, y)
    return y


def transition(r, v, t):
    return matrix(np.ascontiguousarray(r), np.ascontiguousarray(v), t, np.empty(6))


def covariance(r, v, P, t):
    Phi = transition(r, v, t)
    C = Phi @ P @ Phi.T
    return (C + C.T) / 2


def forecast(x, P, t, out):
    filled = out if out.flags.c_contiguous else np.empty(out.shape)
    everybody(np.ascontiguousarray(x), np.ascontiguousarray(P), np.ascontiguousarray(t), filled)
    if filled is not out:
        out[...] = filled
