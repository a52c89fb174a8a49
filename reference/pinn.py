"""Oracle: a neural network whose derivatives are known in closed form, trained to be an electrostatic potential.

    -(u_xx + u_yy) = f  in the unit square, u = 0 on its rim         u: potential, V; f: charge density over permittivity, V/m2

    u(x, y) = x (1 - x) y (1 - y) N(x, y),    N(x, y) = sum_h w_h tanh(a_h x + c_h y + b_h) + d

theta holds a, c, b, w, each of length H, and d: 4 H + 1 numbers. The product in front makes the rim exact. Training minimises
the mean squared residual at n points,

    loss(theta) = 1/n sum_i r_i^2,    r_i = u_xx(x_i, y_i) + u_yy(x_i, y_i) + f_i

- `nn_derivative` differentiates N: with s = tanh z the derivatives are s' = 1 - s^2 and s'' = -2 s s'.
- `loss_gradient` knows no formula for the gradient: it perturbs one parameter after the other by an imaginary 1e-30 and
  reads the derivative off the imaginary part, without any cancellation.
- `Source` is a sum of sine modes, for which u is known: sin(pi p x) sin(pi q y) has -(u_xx + u_yy) = pi^2 (p^2 + q^2) u.
- `relative_error` says how far a network is from that u, in the L2 norm over the square.

Counts, a point and unit: one tanh; 17 flops for its argument and the residual, 30 more for the gradient, on numbers that fit in cache
if points are taken in blocks. No stability limit.

Source: I. E. Lagaris, A. Likas, D. I. Fotiadis, IEEE Trans. Neural Networks 9 (1998) 987–1000 (trial solutions that obey the
boundary); M. Raissi, P. Perdikaris, G. E. Karniadakis, J. Comput. Phys. 378 (2019) 686–707; W. Squire, G. Trapp,
SIAM Review 40 (1998) 110–112 (complex step).
"""

from dataclasses import dataclass

import numpy as np

MODES = 2  # of a source, in each direction


def network(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return N and its derivatives x, y, xx, xy, yy at the points, each (n,), unit by unit."""
    H = len(theta) // 4
    N, Nx, Ny, Nxx, Nxy, Nyy = np.zeros((6, len(x)), dtype=theta.dtype)
    N = N + theta[4 * H]
    for h in range(H):
        a, c, b, w = theta[h], theta[H + h], theta[2 * H + h], theta[3 * H + h]
        s = np.tanh(a * x + c * y + b)
        first = w * (1.0 - s * s)
        second = -2.0 * s * first
        N, Nx, Ny = N + w * s, Nx + a * first, Ny + c * first
        Nxx, Nxy, Nyy = Nxx + a * a * second, Nxy + a * c * second, Nyy + c * c * second
    return N, Nx, Ny, Nxx, Nxy, Nyy


def nn_derivative(theta: np.ndarray, x: np.ndarray, y: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """Return the derivative of N, dx times by x and dy times by y.

    Args:
        theta: Parameters, shape (4 H + 1,).
        x, y: Points, shape (n,), m.
        dx, dy: Orders, >= 0, together at most 2.

    Returns:
        Values at the points, shape (n,).
    """
    return network(theta, x, y)[{(0, 0): 0, (1, 0): 1, (0, 1): 2, (2, 0): 3, (1, 1): 4, (0, 2): 5}[dx, dy]]


def potential(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return u, V, at the points (n,), zero on the rim."""
    return x * (1.0 - x) * y * (1.0 - y) * network(theta, x, y)[0]


def residual(theta: np.ndarray, x: np.ndarray, y: np.ndarray, f: np.ndarray) -> np.ndarray:
    """Return u_xx + u_yy + f, V/m2, at the points (n,), by the product rule."""
    N, Nx, Ny, Nxx, _, Nyy = network(theta, x, y)
    X, Y = x * (1.0 - x), y * (1.0 - y)
    u_xx = Y * (X * Nxx + 2.0 * (1.0 - 2.0 * x) * Nx - 2.0 * N)
    u_yy = X * (Y * Nyy + 2.0 * (1.0 - 2.0 * y) * Ny - 2.0 * N)
    return u_xx + u_yy + f


def loss_gradient(theta: np.ndarray, x: np.ndarray, y: np.ndarray, f: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the loss, V2/m4, and its gradient.

    Args:
        theta: Parameters, shape (4 H + 1,).
        x, y: Points inside the square, shape (n,), m.
        f: Charge density over permittivity at the points, shape (n,), V/m2.

    Returns:
        Mean squared residual, and its derivatives by every parameter, shape (4 H + 1,).
    """
    gradient = np.empty(len(theta))
    for j in range(len(theta)):
        moved = theta.astype(np.complex128)
        moved[j] += 1e-30j
        gradient[j] = np.mean(residual(moved, x, y, f) ** 2).imag / 1e-30
    return float(np.mean(residual(theta, x, y, f) ** 2)), gradient


@dataclass(frozen=True)
class Source:
    """A charge density of sine modes; amplitudes (MODES, MODES), V, rows along x."""

    amplitudes: np.ndarray

    def _modes(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
        k = np.pi * np.arange(1, len(weights) + 1)
        return np.einsum("np,pq,nq->n", np.sin(np.outer(x, k)), weights, np.sin(np.outer(y, k)))

    def density(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return f at the points (n,), V/m2."""
        k = np.pi * np.arange(1, len(self.amplitudes) + 1)
        return self._modes(x, y, self.amplitudes * (k[:, None] ** 2 + k**2))

    def potential(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the exact u at the points (n,), V."""
        return self._modes(x, y, self.amplitudes)


def draw_source(rng: np.random.Generator, scale: float = 1.0) -> Source:
    """Draw amplitudes of both signs for all modes, with an L2 norm of scale, V."""
    amplitudes = rng.uniform(-1.0, 1.0, (MODES, MODES))
    return Source(scale * amplitudes / np.linalg.norm(amplitudes))


def relative_error(theta: np.ndarray, source: Source) -> float:
    """Return the L2 norm of the error over that of the potential, on a grid of 61 × 61 points."""
    x, y = (a.ravel() for a in np.meshgrid(np.linspace(0.0, 1.0, 61), np.linspace(0.0, 1.0, 61)))
    exact = source.potential(x, y)
    return float(np.linalg.norm(potential(theta, x, y) - exact) / np.linalg.norm(exact))
