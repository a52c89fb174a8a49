"""Oracle: Sobol' indices of a model's output, and the warming of a climate with two heat reservoirs.

Which of k uncertain inputs decides how uncertain the output is? With x uniform in the unit cube and V the variance of f(x),

    S_i  = Var( E[f | x_i] ) / V             first order: what is lost of V, on average, when x_i becomes known
    ST_i = 1 - Var( E[f | all but x_i] ) / V     total: what is left of V when all others are known          dimensionless

They are estimated from two independent samples A and B, each n points of the cube, and k more, A_B^(i): A, its column i
taken from B. With m the mean and V the variance of the 2n values f(A_j) and f(B_j) (divided by 2n),

    S_i  = 1/n sum_j (f(B_j) - m) (f(A_B^(i)_j) - f(A_j)) / V
    ST_i = 1/(2n) sum_j (f(A_j) - f(A_B^(i)_j))^2 / V            n (k + 2) evaluations of f; 0 where all values are equal

The climate: T is the warming of the air and the upper ocean, D that of the deep ocean, both in K. Carbon dioxide grows by one per cent a
year until it has doubled, in year 70, and stays. With F in W/m^2, lam and gamma in W/m^2/K, a in W/m^2/K^2, C and E in W yr/m^2/K,

    C T' = F min(t / 70, 1) - lam T + a T^2 - gamma (T - D),        E D' = gamma (T - D),        T = D = 0 at first,

by explicit Euler steps of a tenth of a year. Counts, a member and step: 11 flops with the coefficients multiplied out. Stable while
(lam + gamma) / 10 < 2 C and 2 a T < lam: within the bounds below lam^2 > 4 a F, and T stays under 7 K.

Source: A. Saltelli et al., *Variance based sensitivity analysis of model output*, Comput. Phys. Commun. 181, 2010 (the estimators:
table 2, b and f); J. M. Gregory, *Vertical heat transports in the ocean and their effect on time-dependent climate change*, Clim. Dyn. 16,
2000; O. Geoffroy et al., *Transient climate response in a two-layer energy-balance model*, J. Climate 26, 2013 (ranges of parameters).
"""

from collections.abc import Callable

import numpy as np

#                F2x, lam, a, C, E, gamma
LOW = np.array([3.3, 0.9, 0.00, 6.0, 60.0, 0.5])
HIGH = np.array([4.3, 1.7, 0.04, 10.0, 180.0, 1.0])
STEPS_A_YEAR = 10
DOUBLED = 70 * STEPS_A_YEAR  # steps until carbon dioxide stays


def warming(p: np.ndarray, years: int) -> np.ndarray:
    """Return T in K after so many years.

    Args:
        p: F, lam, a, C, E, gamma of each member, shape (n, 6); units above.
        years: at least 0.

    Returns:
        Shape (n,).
    """
    out = np.empty(len(p))
    for j, (F, lam, a, C, E, gamma) in enumerate(p.tolist()):
        T = D = 0.0
        for step in range(years * STEPS_A_YEAR):
            heat = gamma * (T - D)
            flux = F * min(step / DOUBLED, 1.0) - lam * T + a * T * T - heat
            T, D = T + flux / C / STEPS_A_YEAR, D + heat / E / STEPS_A_YEAR
        out[j] = T
    return out


def sobol(f: Callable[[np.ndarray], float], A: np.ndarray, B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices S (k,) and ST (k,) of f from the samples A and B, each (n, k) in the unit cube, n at least 1."""
    k = A.shape[1]
    mixed = [A.copy() for _ in range(k)]
    for i in range(k):
        mixed[i][:, i] = B[:, i]
    return indices(*(np.array([f(x) for x in points]) for points in (A, B)), [[f(x) for x in points] for points in mixed])


def indices(fA: np.ndarray, fB: np.ndarray, mixed: list) -> tuple[np.ndarray, np.ndarray]:
    """Return S (k,) and ST (k,) from the values f(A) (n,), f(B) (n,) and f(A_B^(i)), k times (n,)."""
    both = np.concatenate([fA, fB])
    m = both.mean()
    V = ((both - m) ** 2).mean()
    if np.ptp(both) == 0.0:
        return np.zeros(len(mixed)), np.zeros(len(mixed))
    S = np.array([np.mean((fB - m) * (fi - fA)) for fi in mixed]) / V
    return S, np.array([np.mean((fA - fi) ** 2) / 2.0 for fi in mixed]) / V


def climate_indices(A: np.ndarray, B: np.ndarray, years: int) -> tuple[np.ndarray, np.ndarray]:
    """Return S (6,) and ST (6,) of the warming after so many years; A and B are (n, 6) in the unit cube, scaled to LOW … HIGH."""
    return sobol(lambda x: float(warming((LOW + (HIGH - LOW) * x)[None], years)[0]), A, B)
