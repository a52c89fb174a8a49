"""Oracle: Hamiltonian Monte Carlo, and the posterior of an epidemic's two rates.

A density proportional to exp(-U(q)) is sampled by particles that move: with momentum p the energy is H = U(q) + p.p/2, and a
trajectory of L leapfrog steps of length eps,

    p <- p - eps/2 grad U(q);     L times: q <- q + eps p,  p <- p - eps grad U(q) (eps/2 in the last),

is reversible, keeps volumes, and H nearly. Its end is the next sample if log w < H(start) - H(end), w uniform in (0, 1), else the start is.
Momenta and uniform numbers are arguments here: a chain is a function, and can be compared to rounding.

The epidemic (S and I are shares of the population, beta and gamma 1/day, theta = (log beta, log gamma)) in Euler steps of h = 1/4 day,

    S <- S - h beta S I,    I <- I + h (beta S I - gamma I),    S = 0.99, I = 0.01 at first,

was observed at the end of days 1 … T, with an error of sd 0.02; theta has a normal prior around (log 0.4, log 0.15) with sd 0.5:

    U(theta) = sum_d (I_d - y_d)^2 / (2 0.02^2) + |theta - theta_0|^2 / (2 0.5^2)        dimensionless

The gradient is that of these sums, through the steps. Here it is a complex step: U(theta + i delta) has it in its imaginary part, to
rounding. Counts, a step of S, I and their derivatives by both parameters: 23 flops at least. Evaluations of U and its gradient: L a trajectory.

Source: S. Duane, A. D. Kennedy, B. J. Pendleton, D. Roweth, *Hybrid Monte Carlo*, Phys. Lett. B 195, 1987; R. M. Neal, *MCMC using
Hamiltonian dynamics*, Handbook of Markov Chain Monte Carlo, 2011; W. O. Kermack, A. G. McKendrick, Proc. R. Soc. A 115, 1927 (the epidemic).
"""

import math
from collections.abc import Callable

import numpy as np

STEPS_A_DAY = 4
SEEDS = 0.01  # share of the population that is infectious at first
SD = 0.02  # of an observation
CENTRE, SPREAD = np.log([0.4, 0.15]), 0.5  # of the prior
Energy = Callable[[np.ndarray], tuple[float, np.ndarray]]


def prevalence(beta: complex, gamma: complex, days: int) -> list:
    """Return the share of infectious people at the end of days 1 … `days`, for rates in 1/day."""
    S, I, out = 1.0 - SEEDS, SEEDS, []
    for _ in range(days):
        for _ in range(STEPS_A_DAY):
            infections, recoveries = beta * S * I / STEPS_A_DAY, gamma * I / STEPS_A_DAY
            S, I = S - infections, I + (infections - recoveries)
        out.append(I)
    return out


def epidemic(theta: np.ndarray, data: np.ndarray) -> tuple[float, np.ndarray]:
    """Return U and its gradient (2,).

    Args:
        theta: log beta, log gamma, rates in 1/day.
        data: observed shares at the end of days 1 … T, shape (T,).
    """

    def U(a: complex, b: complex) -> complex:
        misfit = sum((i - y) ** 2 for i, y in zip(prevalence(np.exp(a), np.exp(b), len(data)), data.tolist(), strict=True))
        return misfit / (2 * SD**2) + ((a - CENTRE[0]) ** 2 + (b - CENTRE[1]) ** 2) / (2 * SPREAD**2)

    a, b, tiny = complex(theta[0]), complex(theta[1]), 1e-30
    return U(a, b).real, np.array([U(a + 1j * tiny, b).imag, U(a, b + 1j * tiny).imag]) / tiny


def leapfrog(f: Energy, q: np.ndarray, p: np.ndarray, eps: float, L: int) -> tuple[np.ndarray, np.ndarray]:
    """Return position and momentum, (d,) each, after L steps of length eps; f returns U and its gradient, L is at least 1."""
    p = p - eps / 2 * f(q)[1]
    for step in range(L):
        q = q + eps * p
        p = p - (eps if step < L - 1 else eps / 2) * f(q)[1]
    return q, p


def move(f: Energy, q: np.ndarray, p: np.ndarray, eps: float, L: int) -> tuple[np.ndarray, float]:
    """Return where a trajectory from q with momentum p ends, and H(start) - H(end)."""
    end, last = leapfrog(f, q, p, eps, L)
    return end, f(q)[0] + p @ p / 2 - f(end)[0] - last @ last / 2


def hmc(f: Energy, q0: np.ndarray, eps: float, L: int, P: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return n samples (n, d) of the density exp(-U).

    Args:
        f: returns U and its gradient.
        q0: where the chain begins, shape (d,); it is no sample.
        eps: length of a step.
        L: steps of a trajectory, at least 1.
        P: momentum at the start of each trajectory, shape (n, d).
        w: numbers of (0, 1), shape (n,).
    """
    q, out = q0, np.empty(P.shape)
    for i in range(len(P)):
        end, gain = move(f, q, P[i], eps, L)
        if math.log(w[i]) < gain:  # never for NaN
            q = end
        out[i] = q
    return out


def chains(Q0: np.ndarray, eps: float, L: int, P: np.ndarray, w: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Return the samples (m, n, 2) of m chains of `hmc` for the epidemic; Q0 is (m, 2), P is (m, n, 2), w is (m, n)."""
    return np.array([hmc(lambda q: epidemic(q, data), *each) for each in zip(Q0, [eps] * len(Q0), [L] * len(Q0), P, w, strict=True)])
