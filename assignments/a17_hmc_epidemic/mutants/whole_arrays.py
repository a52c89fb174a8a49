# dies by: too-slow
# NumPy, all chains at once: right, and a temporary array for every operation.
import numpy as np

CENTRE = np.log([0.4, 0.15])


def energies(theta, data):
    beta, gamma = np.exp(theta) / 4
    S, I, (S1, I1, S2, I2) = 0.99 + 0 * beta, 0.01 + 0 * beta, np.zeros((4, len(beta)))
    away = theta - CENTRE[:, None]
    U, slope = 2 * (away**2).sum(axis=0), 4 * away
    for y in data:
        for _ in range(4):
            f, r = beta * S * I, gamma * I
            f1, f2 = f + beta * (S1 * I + S * I1), beta * (S2 * I + S * I2)
            S, S1, S2 = S - f, S1 - f1, S2 - f2
            I, I1, I2 = I + f - r, I1 + f1 - gamma * I1, I2 + f2 - r - gamma * I2
        U = U + (I - y) ** 2 / 0.0008
        slope = slope + (I - y) / 0.0004 * np.array([I1, I2])
    return U, slope


def epidemic(theta, data):
    U, slope = energies(theta[:, None], data)
    return float(U[0]), slope[:, 0].copy()


def leapfrog(f, q, p, eps, L):
    p = p - eps / 2 * f(q)[1]
    for step in range(L):
        q = q + eps * p
        p = p - eps / (1 + (step == L - 1)) * f(q)[1]
    return q, p


def sample(f, q, eps, L, P, w):
    out = []
    known = None
    for start, limit in zip(P, np.log(w), strict=True):
        U, slope = known or f(q)
        x, p, new = q, start - eps / 2 * slope, None
        for step in range(L):
            x = x + eps * p
            new = f(x)
            p = p - eps / (1 + (step == L - 1)) * new[1]
        taken = limit < U + (start**2).sum(axis=0) / 2 - new[0] - (p**2).sum(axis=0) / 2
        q = np.where(taken, x, q)
        known = np.where(taken, new[0], U), np.where(taken, new[1], slope)
        out.append(q)
    return out


def hmc(f, q0, eps, L, P, w):
    return np.array(sample(f, q0, eps, L, P, w)).reshape(P.shape)


def chains(Q0, eps, L, P, w, data):
    found = sample(lambda q: energies(q, data), Q0.T, eps, L, P.transpose(1, 2, 0), w.T)
    return np.array(found).reshape(P.shape[1], 2, P.shape[0]).transpose(2, 0, 1).copy()
