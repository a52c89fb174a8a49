"""Oracle: two-body motion around the Earth, its state transition matrix and the covariance that it carries.

    d²r/dt² = -mu r / |r|³        r in km, v = dr/dt in km/s, t in s, mu = 398600.4418 km³/s²

For an ellipse (a > 0, e < 1), with r0 = |r|, s = r·v / sqrt(mu a), 1/a = 2/r0 - v²/mu and the mean motion n = sqrt(mu/a³), the
eccentric anomaly that is covered in the time t, x = E - E0, solves Kepler's equation between two points

    n t = x - (1 - r0/a) sin x + s (1 - cos x)

and the new state is a combination of the old one, r' = f r + g v, v' = f' r + g' v, with

    f = 1 - (a/r0)(1 - cos x),  g = t - (x - sin x)/n,  f' = -sqrt(mu a) sin x / (r0 r1),  g' = 1 - (a/r1)(1 - cos x)

where r1 = |r'|. No angle of the orbit appears: circles, equators and poles are ordinary. x grows by 2 pi a revolution.

- `propagate` solves Kepler's equation by bisection, then Newton's method.
- `transition` is d(r', v')/d(r, v), column by column, by the complex step: the same formula is evaluated with an imaginary
  part of 1e-40 in one component, and the imaginary part of the result is the derivative. Nothing is subtracted, so that
  nothing cancels. Entry (i, j) has the unit of state i over the unit of state j: 1, s, 1/s, 1.
- `covariance` is Phi P Phi^T; `forecast` takes square roots of variances along R (up), T (ahead in the orbit's plane, at a
  right angle to R), N (along r × v) of the new state.
- `by_integration` knows none of these formulas: it integrates the equation of motion and its linearisation
  d²δ/dt² = -mu (δ/|r|³ - 3 r (r·δ)/|r|⁵) by extrapolated leapfrogs. It is here to convict the others.
- `sensitivity` says what one rounding of every input does to the results: the tolerances of the hidden checks.
- `uncertainty` and `slow_starts` draw covariances, and places from which an iteration without bounds runs away.

All numbers are extended precision (64 bits of mantissa on x86; where a platform has none, float64), and results are
rounded to float64. Counts: none. `sensitivity` is asked hundreds of times, so its fourteen neighbours are moved at once.
Limits: ellipses with e <= 0.95. Not for rectilinear or hyperbolic motion.

Source: R. H. Battin, *An Introduction to the Mathematics and Methods of Astrodynamics*, revised ed., AIAA 1999, chapter 4
and section 9.7; the complex step: W. Squire, G. Trapp, SIAM Review 40 (1998) 110–112; extrapolation: W. B. Gragg, SIAM J.
Numer. Anal. 2 (1965) 384–403. mu: D. D. McCarthy, G. Petit, *IERS Conventions (2003)*, IERS TN 32, table 1.1 (TCG value
rounded: 398600.4418 km³/s²).
"""

import numpy as np

MU = 398600.4418  # km³/s²
ROUNDING = 2.0**-53

_Real = np.longdouble
_TWO_PI = _Real("6.283185307179586476925286766559005768")
_STEP = _Real("1e-40")


def propagate(r: np.ndarray, v: np.ndarray, t: float) -> np.ndarray:
    """Return position and velocity after the time t.

    Args:
        r: Position, km, shape (3,). Not modified.
        v: Velocity, km/s, shape (3,). Not modified.
        t: Time, s, of either sign.

    Returns:
        Position, km, and velocity, km/s, shape (6,).
    """
    return _move(np.concatenate([r, v]).astype(_Real), t).astype(np.float64)


def transition(r: np.ndarray, v: np.ndarray, t: float) -> np.ndarray:
    """Return d(r', v')/d(r, v), shape (6, 6); arguments as in `propagate`."""
    return _transition(np.concatenate([r, v]).astype(_Real), t).astype(np.float64)


def covariance(r: np.ndarray, v: np.ndarray, P: np.ndarray, t: float) -> np.ndarray:
    """Return the covariance of the state at time t.

    Args:
        r: Position, km, shape (3,).
        v: Velocity, km/s, shape (3,).
        P: Covariance of (r, v), shape (6, 6): km², km²/s, km²/s² in its blocks; symmetric, positive semi-definite.
        t: Time, s, of either sign.

    Returns:
        Phi P Phi^T, shape (6, 6), units as those of P.
    """
    Phi = _transition(np.concatenate([r, v]).astype(_Real), t)
    C = np.zeros((6, 6), dtype=_Real)
    for i in range(6):
        for j in range(6):
            for k in range(6):
                for m in range(6):
                    C[i, j] += Phi[i, k] * P[k, m] * Phi[j, m]
    return C.astype(np.float64)


def axes(r: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the unit vectors R, T, N of a state as rows, shape (3, 3)."""
    up = r / np.sqrt((r * r).sum())
    normal = np.cross(r, v)
    normal = normal / np.sqrt((normal * normal).sum())
    return np.array([up, np.cross(normal, up), normal])


def forecast(x: np.ndarray, P: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return standard deviations of the position along R, T and N, for every object and every time.

    Args:
        x: Position, km, and velocity, km/s, one object a row, shape (m, 6).
        P: Covariances of these, shape (m, 6, 6), units as in `covariance`.
        t: Times since the epoch, s, of either sign, in any order, shape (k,).

    Returns:
        Standard deviations, km, shape (m, k, 3).
    """
    out = np.zeros((len(x), len(t), 3))
    for i in range(len(x)):
        for j in range(len(t)):
            start = np.array(x[i], dtype=_Real)
            end = _move(start, t[j])
            rows = axes(end[:3], end[3:]) @ _transition(start, t[j])[:3]
            for d in range(3):
                out[i, j, d] = np.sqrt(max(rows[d] @ P[i].astype(_Real) @ rows[d], _Real(0)))
    return out


def elements(r: np.ndarray, v: np.ndarray) -> tuple[float, float]:
    """Return semi-major axis, km, and eccentricity."""
    _, a, _, cosine, sine = _shape(np.concatenate([r, v]).astype(_Real))
    return float(a), float(np.sqrt(cosine**2 + sine**2))


def by_integration(r: np.ndarray, v: np.ndarray, t: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return state (6,) and transition matrix (6, 6) at time t, by `steps` steps of order 16 of the equations of motion.

    Two hundred steps a revolution give 13 digits for e <= 0.5.
    """
    y = np.concatenate([np.concatenate([r, v])[:, None], np.eye(6)], axis=1).astype(_Real)
    H = _Real(t) / steps

    def acceleration(q):
        centre, delta = q[:, :1], q[:, 1:]
        d2 = (centre * centre).sum()
        d3 = d2 * np.sqrt(d2)
        pull = -MU * (delta / d3 - 3 * centre * (centre * delta).sum(axis=0) / (d3 * d2))
        return np.concatenate([-MU * centre / d3, pull], axis=1)

    def leapfrogs(q, w, count):
        h = H / count
        w = w + h / 2 * acceleration(q)
        for i in range(count):
            q = q + h * w
            w = w + (h if i < count - 1 else h / 2) * acceleration(q)
        return np.concatenate([q, w])

    for _ in range(steps):
        row: list[np.ndarray] = []
        for j in range(8):
            new = [leapfrogs(y[:3], y[3:], j + 1)]
            for k in range(j):
                new.append(new[k] + (new[k] - row[k]) / (((j + 1) / _Real(j - k)) ** 2 - 1))
            row = new
        y = row[-1]
    return y[:, 0].astype(np.float64), y[:, 1:].astype(np.float64)


def sensitivity(r: np.ndarray, v: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much state (6,) and transition matrix (6, 6) may change for one rounding of every input.

    One rounding is 2⁻⁵³ of |r| in each coordinate, of |v| in each component, and of t. One of the formula's own last
    operations is added: 2⁻⁵³ of a and of the speed at perigee, and of the matrix's largest entry in such units.
    First order, by differences of the oracle.
    """
    start = np.concatenate([r, v]).astype(_Real)
    a = _shape(start)[1]
    length, speed = np.sqrt((start[:3] ** 2).sum()), np.sqrt((start[3:] ** 2).sum())
    _, _, _, cosine, sine = _shape(start)
    e = np.sqrt(cosine**2 + sine**2)
    mean_speed = np.sqrt(MU / a)
    unit = np.array([a] * 3 + [mean_speed] * 3)
    rows = np.array([a] * 3 + [mean_speed * np.sqrt((1 + e) / (1 - e))] * 3)  # the largest: a, and the speed at perigee
    columns = np.array([length] * 3 + [mean_speed] * 3)
    Phi, here = _transition(start, t), _move(start, t)
    largest = np.abs(Phi * unit[None, :] / unit[:, None]).max()
    state, matrix = np.maximum(np.abs(here), rows), largest * rows[:, None] / columns[None, :]
    small = _Real(1e-7)
    change = small * np.eye(6, 7) * np.array([length] * 3 + [speed] * 3 + [0])  # a column for each input, the last for the time
    starts, times = start[:, None] + np.concatenate([change, -change], axis=1), t * np.ones(14, dtype=_Real)
    times[6], times[13] = t * (1 + small), t * (1 - small)
    moved, matrices = _move(starts, times), _transition(starts, times)
    state = state + np.abs(moved[:, :7] - moved[:, 7:]).sum(axis=-1) / (2 * small)
    matrix = matrix + np.abs(matrices[..., :7] - matrices[..., 7:]).sum(axis=-1) / (2 * small)
    return ROUNDING * state.astype(np.float64), ROUNDING * matrix.astype(np.float64)


def uncertainty(rng: np.random.Generator, least: float = 0.02) -> np.ndarray:
    """Draw a covariance of position and velocity, 1 km and 1 m/s or so, fully correlated; `least` of its eigenvalues to 1."""
    turn = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    unit = np.array([1.0] * 3 + [1e-3] * 3) * rng.uniform(0.3, 3.0)
    P = (turn * rng.uniform(least, 1.0, 6)) @ turn.T * unit[:, None] * unit[None, :]
    return (P + P.T) / 2.0


def slow_starts(rng: np.random.Generator, e: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw anomalies and turns from which Newton's method, without bounds, takes longest: from x = n t, 0, and pi or -pi."""
    E, turn = rng.uniform(-np.pi, np.pi, (2, 30_000))
    cosine, sine = e * np.cos(E), e * np.sin(E)
    slowest = []
    for x in (turn, 0.0 * turn, np.copysign(np.pi, turn)):
        steps = np.zeros(len(turn))
        for _ in range(60):
            residual = x - cosine * np.sin(x) + sine * (1.0 - np.cos(x)) - turn
            steps += np.abs(residual) > 1e-9
            x = x - residual / (1.0 - cosine * np.cos(x) + sine * np.sin(x))
        slowest.extend(np.argsort(steps)[-count:])
    return E[slowest], turn[slowest]


def _shape(y):
    """Return |r|, a, n, e cos E0 and e sin E0 of states of real or complex numbers, (6, ...)."""
    r, v = y[:3], y[3:]
    r0 = np.sqrt((r * r).sum(axis=0))
    a = 1 / (2 / r0 - (v * v).sum(axis=0) / _Real(MU))
    return r0, a, np.sqrt(_Real(MU) / a**3), 1 - r0 / a, (r * v).sum(axis=0) / np.sqrt(_Real(MU) * a)


def _anomaly(turn, cosine, sine):
    """Solve x - cosine sin x + sine (1 - cos x) = turn, all real; the left-hand side grows with x."""
    whole = _TWO_PI * np.round(turn / _TWO_PI)
    turn = turn - whole
    low, high = turn - 2, turn + 2  # x differs from turn by less than e + |e sin E0| < 2
    for _ in range(12):
        x = (low + high) / 2
        short = x - cosine * np.sin(x) + sine * (1 - np.cos(x)) < turn
        low, high = np.where(short, x, low), np.where(short, high, x)
    for _ in range(8):
        x = x - (x - cosine * np.sin(x) + sine * (1 - np.cos(x)) - turn) / (1 - cosine * np.cos(x) + sine * np.sin(x))
    return x + whole


def _move(y, t):
    """Return the states (6, ...) after t, one time or one for each of the last axis; y real or complex."""
    r0, a, n, cosine, sine = _shape(y)
    x = _anomaly((n * t).real, cosine.real, sine.real)
    if np.iscomplexobj(y):  # one step of Newton's method carries the imaginary part; its square is gone
        residual = x - cosine * np.sin(x) + sine * (1 - np.cos(x)) - n * t
        x = x - residual / (1 - cosine * np.cos(x) + sine * np.sin(x))
    f, g = 1 - a / r0 * (1 - np.cos(x)), t - (x - np.sin(x)) / n
    r = f * y[:3] + g * y[3:]
    r1 = a * (1 - cosine * np.cos(x) + sine * np.sin(x))
    f_dot, g_dot = -np.sqrt(_Real(MU) * a) * np.sin(x) / (r0 * r1), 1 - a / r1 * (1 - np.cos(x))
    return np.concatenate([r, f_dot * y[:3] + g_dot * y[3:]])


def _transition(y, t):
    """Return the matrices (6, 6, ...) of derivatives of states (6, ...) by the complex step."""
    step = 1j * _STEP * np.eye(6, dtype=np.clongdouble)
    return _move(y[:, None] + step.reshape(6, 6, *[1] * (y.ndim - 1)), t).imag / _STEP
