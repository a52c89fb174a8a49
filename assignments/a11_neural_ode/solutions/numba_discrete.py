"""The discrete adjoint, stage by stage, in blocks of 256 recordings, in Numba, with a tanh of its own: NumPy's is slow without AVX-512."""

import numpy as np
from numba import njit

H, BLOCK = 50, 256


@njit("void(f8[:,::1], f8[:,::1], f8[:,::1])", fastmath=True)
def into(w, u, z):
    """z = W1 u³ + b1, unit by unit."""
    m = u.shape[1]
    for h in range(H):
        a, b, c = w[0, h], w[1, h], w[2, h]
        for j in range(m):
            z[h, j] = a * (u[0, j] * u[0, j] * u[0, j]) + b * (u[1, j] * u[1, j] * u[1, j]) + c


@njit("void(f8[:,::1])", fastmath=True, error_model="numpy")
def hyperbolic(z):
    """z becomes tanh z = 1 - 2 / (1 + exp 2z), exp by Taylor near a power of two, whose exponent is added to the bits."""
    k = np.empty(z.shape[1])
    bits, whole = z.view(np.int64), k.view(np.int64)
    for h in range(H):
        for j in range(len(k)):
            a = min(max(2.0 * z[h, j], -40.0), 40.0)
            n = np.floor(a * 1.4426950408889634 + 0.5)
            r = (a - n * 0.6931471805599453) - n * 2.3190468138462996e-17
            e = 1.0 / 479001600.0
            e = e * r + 1.0 / 39916800.0
            e = e * r + 1.0 / 3628800.0
            e = e * r + 1.0 / 362880.0
            e = e * r + 1.0 / 40320.0
            e = e * r + 1.0 / 5040.0
            e = e * r + 1.0 / 720.0
            e = e * r + 1.0 / 120.0
            e = e * r + 1.0 / 24.0
            e = e * r + 1.0 / 6.0
            e = e * r + 0.5
            e = e * r + 1.0
            z[h, j] = e * r + 1.0
            k[j] = n + 6755399441055744.0  # 1.5 * 2**52: n is in the last bits
        for j in range(len(k)):
            bits[h, j] += whole[j] << 52
        for j in range(len(k)):
            z[h, j] = 1.0 - 2.0 / (1.0 + z[h, j])


@njit("void(f8[:,::1], f8[::1], f8[:,::1], f8[:,::1])", fastmath=True)
def out_of(w, b2, s, f):
    """f = W2 s + b2."""
    m = s.shape[1]
    for j in range(m):
        f[0, j], f[1, j] = b2[0], b2[1]
    for h in range(H):
        a, b = w[3, h], w[4, h]
        for j in range(m):
            f[0, j] += a * s[h, j]
            f[1, j] += b * s[h, j]


@njit("void(f8[:,::1], f8[::1], f8[:,::1], f8[:,::1], f8[:,::1])")
def there(w, b2, u, s, f):
    """s = tanh(W1 u³ + b1), f = W2 s + b2."""
    into(w, u, s)
    hyperbolic(s)
    out_of(w, b2, s, f)


@njit("void(f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1])", fastmath=True)
def back(w, s, u, y, g, sums):
    """g = yᵀ df/du for every recording; sums, rows as those of w, grow by yᵀ df/dp."""
    m = s.shape[1]
    for j in range(m):
        g[0, j] = g[1, j] = 0.0
    for h in range(H):
        a, b, c, e = w[0, h], w[1, h], w[3, h], w[4, h]
        s0 = s1 = s2 = s3 = s4 = 0.0
        for j in range(m):
            d = (c * y[0, j] + e * y[1, j]) * (1.0 - s[h, j] * s[h, j])
            g[0, j] += a * d
            g[1, j] += b * d
            s0 += d * (u[0, j] * u[0, j] * u[0, j])
            s1 += d * (u[1, j] * u[1, j] * u[1, j])
            s2 += d
            s3 += s[h, j] * y[0, j]
            s4 += s[h, j] * y[1, j]
        sums[0, h] += s0
        sums[1, h] += s1
        sums[2, h] += s2
        sums[3, h] += s3
        sums[4, h] += s4
    for j in range(m):
        g[0, j] *= 3.0 * u[0, j] * u[0, j]
        g[1, j] *= 3.0 * u[1, j] * u[1, j]


def rows(p):
    """The parameters as five rows, one entry a unit, and b2."""
    return np.vstack([p[: 2 * H].reshape(H, 2).T, p[2 * H : 3 * H], p[3 * H : 5 * H].reshape(2, H)]), p[5 * H :].copy()


def pullback(y, u, p):
    w = rows(p)[0]
    s = np.tanh(w[0] * u[0] ** 3 + w[1] * u[1] ** 3 + w[2])
    d = (y[0] * w[3] + y[1] * w[4]) * (1 - s * s)
    by_p = [np.outer(d, u**3).ravel(), d, y[0] * s, y[1] * s, y]
    return 3 * u**2 * np.array([w[0] @ d, w[1] @ d]), np.concatenate(by_p)


def adjoint_grad(p, u0, t, data, dt):
    w, b2 = rows(p)
    plan, before = [], 0.0  # of every step: its length, and the datum at its end
    for i, time in enumerate(t):
        n = int(np.ceil((time - before) / dt - 1e-9))
        plan += [((time - before) / n, i if j == n - 1 else -1) for j in range(n)]
        before = time
    sums, total, m = np.zeros((5, H)), np.zeros(2), 0
    for first in range(0, len(u0), BLOCK):
        u = np.ascontiguousarray(u0[first : first + BLOCK].T)
        if u.shape[1] != m:  # all blocks but the last share their arrays
            m = u.shape[1]
            tanhs, stages = np.empty((len(plan), 4, H, m)), np.empty((len(plan), 4, 2, m))
            ends, f = np.empty((len(plan), 2, m)), np.empty((4, 2, m))
        for i, (h, _) in enumerate(plan):
            for c, a in enumerate((0.0, h / 2, h / 2, h)):
                at = stages[i, c]
                at[:] = u + a * f[c - 1] if c else u
                there(w, b2, at, tanhs[i, c], f[c])
            u = u + h / 6 * (f[0] + 2 * (f[1] + f[2]) + f[3])
            ends[i] = u
        adjoint, g = np.zeros((2, m)), np.zeros((5, 2, m))  # the last row of g stays zero
        for i in range(len(plan) - 1, -1, -1):
            h, datum = plan[i]
            if datum >= 0:
                adjoint += 2 * (ends[i] - data[first : first + BLOCK, datum].T)
            for c, weight, a in ((3, h / 6, 0.0), (2, h / 3, h), (1, h / 3, h / 2), (0, h / 6, h / 2)):
                y = weight * adjoint + a * g[c + 1]
                back(w, tanhs[i, c], stages[i, c], y, g[c], sums)
                total += y.sum(axis=1)
            adjoint += g.sum(axis=0)
    return np.concatenate([sums[:2].T.ravel(), sums[2], sums[3], sums[4], total])


def train(u0, t, data, seed):
    rng = np.random.default_rng(seed)
    p = np.concatenate([rng.normal(0, 1, 3 * H), rng.normal(0, 0.1, 2 * H), np.zeros(2)])
    first, second, steps = np.zeros(len(p)), np.zeros(len(p)), 1000
    for j in range(1, steps + 1):
        gradient = adjoint_grad(p, u0, t, data, 0.1) / data.size
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        rate = 0.01 * (1 + np.cos(np.pi * j / steps))
        p = p - rate * (first / (1 - 0.9**j)) / (np.sqrt(second / (1 - 0.999**j)) + 1e-10)
    return p
