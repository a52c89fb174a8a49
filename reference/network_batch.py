"""Oracle: the right-hand side of a neural differential equation, for a batch of states.

    f(u, p) = W2 tanh(W1 u^3 + b1) + b2,    u^3 componentwise          u, f: plain numbers

Column i of U (2, B) is a state, column i of the result its rate. p is laid out as in `neural_ode`: W1 (50, 2) row by row, b1 (50,),
W2 (2, 50) row by row and b2 (2,): 252 numbers. Submissions compute in single precision on a GPU; here everything is double, on
the CPU, and unit by unit, as the formula reads.

Counts, a state: 50 tanh; 4 multiplications for the cubes; 8 flops a unit: 404 flops. Memory: 8 bytes in, 8 bytes out, if nothing
is kept in between; 1 kB of parameters for all. No stability limit.

Source: C. Rackauckas, *Parallel Computing and Scientific Machine Learning*, lecture 13 (GPUs); R. T. Q. Chen, Y. Rubanova,
J. Bettencourt, D. Duvenaud, *Neural ordinary differential equations*, NeurIPS 2018 (the network of cubes and 50 units).
"""

import numpy as np

UNITS = 50
PARAMETERS = 5 * UNITS + 2
SCALES = np.repeat([1.0, 1.0, 0.25, 0.5], [2 * UNITS, UNITS, 2 * UNITS, 2])  # bounds of W1, b1, W2 and b2 in all draws
FARTHEST = 1.5  # bound of a state's components in all draws


def nn_batch(U: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return the rates of all states.

    Args:
        U: States, one a column, shape (2, B), of any precision.
        p: Parameters, shape (252,), of any precision.

    Returns:
        Rates in double precision, one a column, shape (2, B).
    """
    x, y = U.astype(np.float64) ** 3
    p = p.astype(np.float64)
    W1, b1 = p[: 2 * UNITS].reshape(UNITS, 2), p[2 * UNITS : 3 * UNITS]
    W2, b2 = p[3 * UNITS : 5 * UNITS].reshape(2, UNITS), p[5 * UNITS :]
    rates = np.zeros((2, U.shape[1])) + b2[:, None]
    for h in range(UNITS):
        s = np.tanh(W1[h, 0] * x + W1[h, 1] * y + b1[h])
        rates[0] += W2[0, h] * s
        rates[1] += W2[1, h] * s
    return rates


def draw_states(rng: np.random.Generator, B: int) -> np.ndarray:
    """Draw B states (2, B) in single precision."""
    return rng.uniform(-FARTHEST, FARTHEST, (2, B)).astype(np.float32)


def draw_parameters(rng: np.random.Generator) -> np.ndarray:
    """Draw parameters (252,) in single precision, of both signs."""
    return (SCALES * rng.uniform(-1.0, 1.0, PARAMETERS)).astype(np.float32)


def draw_fifty_alike(rng: np.random.Generator) -> np.ndarray:
    """Draw one unit and repeat it: an error in one tanh is an error of fifty in the sum, and none is averaged away."""
    sign = rng.choice([-1.0, 1.0], (3, 2))
    W1, b1, W2 = sign[0] * rng.uniform(0.6, 1.0, 2), rng.uniform(-0.5, 0.5), sign[1] * rng.uniform(0.2, 0.25, 2)
    b2 = sign[2] * rng.uniform(0.25, 0.5, 2)
    parts = [np.tile(W1, UNITS), np.full(UNITS, b1), np.repeat(W2, UNITS), b2]
    return np.concatenate(parts).astype(np.float32)
