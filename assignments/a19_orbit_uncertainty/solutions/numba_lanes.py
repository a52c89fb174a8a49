"""Loops over 64 times that Numba vectorises; Danby's iteration thrice for everybody; the variance from P in the orbit's own plane."""

import llvmlite.binding as llvm
import numba
import numpy as np
from numba import njit

features = llvm.get_host_cpu_features()
if features.get("avx512f"):  # whole registers, not halves
    numba.config.CPU_NAME = llvm.get_host_cpu_name()
    numba.config.CPU_FEATURES = features.flatten() + ",-prefer-256-bit"

MU = 398600.4418
LANES = 64
TURN, TURN_LOW = 6.283185307179586, 2.4492935982947064e-16


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


@njit(inline="always")
def circular(x):
    """Sine and cosine of |x| <= 8."""
    q = np.rint(x * (2 / np.pi))
    y = (x - q * 1.5707963267948966) - q * 6.123233995736766e-17
    z = y * y
    s = 1.58962301576546568e-10
    s = s * z - 2.50507477628578073e-8
    s = s * z + 2.75573136213857245e-6
    s = s * z - 1.98412698295895386e-4
    s = s * z + 8.33333333332211859e-3
    s = s * z - 1.66666666666666307e-1
    s = y + y * z * s
    c = -1.13585365213876817e-11
    c = c * z + 2.08757008419747317e-9
    c = c * z - 2.75573141792967388e-7
    c = c * z + 2.48015872888517045e-5
    c = c * z - 1.38888888888730564e-3
    c = c * z + 4.16666666666665929e-2
    c = 1.0 - 0.5 * z + z * z * c
    q -= 4.0 * np.rint(0.25 * q)  # of whole turns nothing is left
    odd = np.abs(q) == 1.0
    sine = c * q if odd else s * (1.0 - np.abs(q))
    cosine = -s * q if odd else c * (1.0 - np.abs(q))
    return sine, cosine


@njit("void(f8[:,::1], f8[:,:,::1], f8[::1], f8[:,:,::1])", fastmath={"contract", "nsz", "arcp", "nnan"}, error_model="numpy")
def catalogue(states, P, t, out):
    m, k = states.shape[0], t.shape[0]
    M, turns, E = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    a_row, b_row, c_row = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    B, half, Q = np.empty((6, 6)), np.empty((6, 6)), np.empty((6, 6))
    N = np.empty(3)
    time = np.zeros(LANES)
    for o in range(m):
        r, v = states[o, :3], states[o, 3:]
        r0 = np.sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2])
        a = 1 / (2 / r0 - (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]) / MU)
        n = np.sqrt(MU / a) / a
        speed = n * a
        d, sg = r0 / a, (r[0] * v[0] + r[1] * v[1] + r[2] * v[2]) / (a * speed)
        for i in range(3):
            N[i] = r[(i + 1) % 3] * v[(i + 2) % 3] - r[(i + 2) % 3] * v[(i + 1) % 3]
        h = np.sqrt(N[0] * N[0] + N[1] * N[1] + N[2] * N[2])
        eta = h / (a * speed)
        for i in range(3):
            N[i] /= h
        for i in range(3):
            # Rows: dr0, d(r·v), d(1/a), the angle in the plane; across the plane: position, velocity.
            B[0, i], B[0, 3 + i] = r[i] / r0, 0.0
            B[1, i], B[1, 3 + i] = v[i] / speed, r[i] / speed
            B[2, i], B[2, 3 + i] = -2 * a * a / (r0 * r0) * r[i] / r0, -2 * v[i] / speed / speed * a
            B[3, i], B[3, 3 + i] = a * (N[(i + 1) % 3] * r[(i + 2) % 3] - N[(i + 2) % 3] * r[(i + 1) % 3]) / (r0 * r0), 0.0
            B[4, i], B[4, 3 + i] = N[i], 0.0
            B[5, i], B[5, 3 + i] = 0.0, N[i] / n
        for i in range(6):
            for j in range(6):
                half[i, j] = 0.0
                for q in range(6):
                    half[i, j] += B[i, q] * P[o, q, j]
        for i in range(6):
            for j in range(6):
                Q[i, j] = 0.0
                for q in range(6):
                    Q[i, j] += half[i, q] * B[j, q]
        ec = 1 - d
        e = np.sqrt(ec * ec + sg * sg)
        E0 = np.arctan2(sg, ec)
        c0, s0 = np.cos(E0), np.sin(E0)
        M0 = E0 - sg
        rounds = 2 if e < 0.3 else 3
        q00, q01, q02, q03, q11 = Q[0, 0], 2 * Q[0, 1], 2 * Q[0, 2], 2 * Q[0, 3], Q[1, 1]
        q12, q13, q22, q23, q33 = 2 * Q[1, 2], 2 * Q[1, 3], Q[2, 2], 2 * Q[2, 3], Q[3, 3]
        n00, n01, n11 = Q[4, 4], 2 * Q[4, 5], Q[5, 5]
        so = sg / d
        for first in range(0, k, LANES):
            width = min(LANES, k - first)
            time[:width] = t[first : first + width]
            for j in range(LANES):
                whole = M0 + n * time[j]
                turns[j] = np.rint(whole * (1 / TURN))
                M[j] = (whole - turns[j] * TURN) - turns[j] * TURN_LOW
                size = np.abs(M[j])
                E[j] = size + 0.85 * e * np.minimum(1.0, 1e9 * size)
            for _ in range(rounds):
                for j in range(LANES):
                    s, c = circular(E[j])
                    f0, f1, f2, f3 = np.abs(M[j]) - E[j] + e * s, 1 - e * c, 0.5 * e * s, e * c / 6
                    step = f0 / f1
                    step = f0 / (f1 + step * f2)
                    E[j] += f0 / (f1 + step * (f2 + step * f3))
            for j in range(LANES):
                sE, cE = circular(E[j])
                sign = 1.0 if M[j] >= 0 else -1.0
                sE *= sign
                x = (sign * E[j] - E0) + turns[j] * TURN
                s, c = sE * c0 - cE * s0, cE * c0 + sE * s0
                rho = 1 - e * cE
                over = 1 / rho
                u2, u3 = 1 - c, x - s
                p1, p2, p3 = 0.5 * (u3 - x * u2), 0.5 * x * s - u2, 0.5 * x * u2 - 1.5 * u3
                x0, x1, x2 = -s * over, -u2 * over, -(d * p1 + sg * p2 + p3) * over
                slope = sg * c + (1 - d) * s
                w0, w1, w2 = c + slope * x0, s + slope * x1, sg * p1 + p2 - 0.5 * d * x * s + slope * x2
                a_row[j] = w0 * (q00 * w0 + q01 * w1 + q02 * w2) + w1 * (q11 * w1 + q12 * w2) + q22 * w2 * w2
                # Direction: new position (X, Y) in axes along and across the old one.
                g = s + so * u2
                gx = c + so * s
                g0, g1, g2 = gx * x0 - so / d * u2, gx * x1 + u2 / d, gx * x2 + p1 + so * p2
                X, Y = (d - u2 + sg * g) * over, eta * g * over
                h0, h1, h2 = ec / eta * g, -sg / eta * g, -0.5 * d * d / eta * g
                w0 = X * (eta * g0 + h0) - Y * (1 - s * x0 + sg * g0)
                w1 = X * (eta * g1 + h1) - Y * (g - s * x1 + sg * g1)
                w2 = X * (eta * g2 + h2) - Y * (sg * g2 - s * x2 - p2)
                b_row[j] = (
                    w0 * (q00 * w0 + q01 * w1 + q02 * w2 + q03 * rho)
                    + w1 * (q11 * w1 + q12 * w2 + q13 * rho)
                    + w2 * (q22 * w2 + q23 * rho)
                    + q33 * rho * rho
                )
                f, g = 1 - u2 / d, d * g
                c_row[j] = f * (n00 * f + n01 * g) + n11 * g * g
            for j in range(LANES):
                a_row[j] = np.sqrt(np.maximum(a_row[j], 0.0))
                b_row[j] = np.sqrt(np.maximum(b_row[j], 0.0))
                c_row[j] = np.sqrt(np.maximum(c_row[j], 0.0))
            for j in range(width):
                out[o, first + j, 0] = a_row[j]
                out[o, first + j, 1] = b_row[j]
                out[o, first + j, 2] = c_row[j]


def forecast(x, P, t, out):
    filled = out if out.flags.c_contiguous else np.empty(out.shape)
    catalogue(np.ascontiguousarray(x), np.ascontiguousarray(P), np.ascontiguousarray(t), filled)
    if filled is not out:
        out[...] = filled
