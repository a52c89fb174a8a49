"""Oracle: the attractor of the logistic map, one column per growth rate.

A population with discrete generations (May 1976), as a fraction x of its carrying capacity, growth rate r:

    x_{n+1} = r x_n (1 - x_n),      0 <= r <= 4,  0 <= x <= 1,  both dimensionless
    out[j]  = x_{warmup + j},       j = 0 ... k-1   (warmup = 0: out[0] is x0 itself)

Shapes: r (m,) float64 -> diagram (m, 150) float64. Operations: 3 flops a step, m (warmup + 150) steps; m (1 + 150)
doubles moved: 8 bytes a column read, 1200 written. A compute-bound kernel whose steps depend on each other.

Stability: for r < 3 a fixed point; at r = 3 it loses stability and is approached only as 1/sqrt(18 n); then cycles of
length 2, 4, 8, ... up to r = 3.5699; beyond, chaos with windows of order. In chaos two correct programs part company
after about 50 steps, because rounding errors double each step: `iterates` therefore gives the bound that still holds.

Source: R. M. May, "Simple mathematical models with very complicated dynamics", Nature 261 (1976); the running error
bound follows N. J. Higham, "Accuracy and Stability of Numerical Algorithms", chapter 3.
"""

import numpy as np

K = 150  # samples per column
EPS = float(np.finfo(np.float64).eps)

# Rounding of one step, whichever way it is written, in units of x (u = eps/2):
#   (r x)(1 - x): 3u;  z (r - z) with z = r x: 2u;  w w + c with x = 1/2 - w/r: 2.5u from c and u from w.
# The oracle itself spends 3u. Together below 3.5 eps; 8 leaves room for other ways.
ROUNDING = 8 * EPS

# Superstable cycles (r, period): every orbit ends on the cycle, after a chaotic transient that was measured over 60
# starts: mean between 8e3 and 2.5e4 steps. After 400 000 steps an orbit is still outside with probability < 1e-6.
LONG_TRANSIENTS = (
    (3.8727718611433204, 13), (3.8808402764393595, 13), (3.8934869474710894, 13), (3.9099809364841809, 13),
    (3.9152816564042912, 13), (3.9202622082790830, 13), (3.9290352748647672, 12), (3.9308753530571279, 13),
    (3.9342372429829355, 12), (3.9364781055875158, 13), (3.9398926073838099, 12), (3.9491112380566711, 12),
    (3.9519402830541250, 12), (3.9549150655892031, 12), (3.9653533977475584, 11), (3.9735618046432295, 12),
)  # fmt: skip
TANGENT = 1 + np.sqrt(8.0)  # the period-3 window opens; its cycle is approached only as 1/n


def calc_attractor(out: np.ndarray, r: float, x0: float = 0.25, warmup: int = 400) -> None:
    """Fill `out` (k,) with x_warmup, x_{warmup+1}, ... of the orbit that starts at `x0`."""
    x, r = float(x0), float(r)
    for _ in range(warmup):
        x = r * x * (1 - x)
    for j in range(out.shape[0]):
        out[j] = x
        x = r * x * (1 - x)


def diagram(r: np.ndarray, warmup: int = 400) -> np.ndarray:
    """Return the (m, 150) samples of the attractor at each of the m growth rates `r`, every orbit from x0 = 0.25."""
    columns = np.empty((len(r), K))
    for column, rate in zip(columns, r, strict=True):
        calc_attractor(column, rate, warmup=warmup)
    return columns


def diagram_threads(r: np.ndarray, p: int, warmup: int = 400) -> np.ndarray:
    """Return `diagram`: the number of workers changes no value."""
    return diagram(r, warmup)


diagram_procs = diagram_threads


def iterates(r: float, n: int, x0: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    """Return x_0 ... x_{n-1} and a bound on how far any float64 program may be from each.

    The error obeys e' <= |r (1 - 2x)| e + r e^2 + rounding, exactly, and never exceeds 1.
    """
    x, bound = np.empty(n), np.empty(n)
    value, error = float(x0), ROUNDING
    for i in range(n):
        x[i], bound[i] = value, error + ROUNDING  # a program that iterates r x or 1/2 - x rounds once more here
        error = min(1.0, abs(r * (1 - 2 * value)) * error + r * error * error + ROUNDING)
        value = r * value * (1 - value)
    return x, bound


def residual(columns: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Return |x_{j+1} - r x_j (1 - x_j)| for every column: how well each sample follows from the one before."""
    x = np.asarray(columns, dtype=np.longdouble)
    return np.abs(x[:, 1:] - r[:, None] * x[:, :-1] * (1 - x[:, :-1])).astype(np.float64)
