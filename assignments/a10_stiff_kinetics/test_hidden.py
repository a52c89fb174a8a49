"""Hidden checks of "Stiff chemistry, five diagonals".

Differences. With h = 2^-26 max(1, |y_j|) >= 1.5e-8, as the notebook prescribes, an entry errs by h/2 |f''| and by two
evaluations' rounding over h. The functions here are sums of at most 12 terms of sizes that add up to S_i for entry i, 25
roundings in all: 2 · 25 · 1.1e-16 S / 1.5e-8 = 3.7e-7 S; |f''| is below S, h below 6e-8. Allowed: 1e-6 (S + 1). In single
precision the best h errs by 3e-4 S.

Steps with such a Jacobian. Rows are judged one by one: row i + 1 against one step of the oracle, with the exact Jacobian,
from the submission's own row i. A row of the Jacobian errs by E = 5 · 3.7e-7 S, so k1 by |M^-1| gamma dt E |k1|, and k2, whose
right-hand side holds dt J k1, by at most ten times that again: |M^-1| <= 2 for every draw here, because M is diagonally
dominant, and |M^-1 dt J| <= (1 + |M^-1|) / gamma = 10. That is 2 · 0.3 · 1.9e-6 · 10 = 1.1e-5 dt S of the largest dt k.
Allowed are 2e-5 (1 + dt S) of it and 1e-12 of the state; a formula with another coefficient errs by 1e-2 of dt k.
With dt = 1e-6 the same rule asks for 1e-10: single precision fails.

Robertson, again from row to row, in double precision against the same: the mass is 1, and the 3x3 systems round by some
30 · 1.1e-16 of it, in whichever order they are eliminated (measured: 2e-16); y2 follows y1 at a ratio of 4e-6 to 4e-5, and
errs in that ratio. Allowed: 1e-13 of the mass and 1e-10 of each. Mass: the columns of the Jacobian cancel, so that rows differ
by what rounds; 300 rows measured 1.4e-15; allowed 1e-12.

The reactor is compared at the end. Elimination errs backwards: by 30 · 1.1e-16 (1 + 4 gamma z) |dt k| |M^-1| a step, z = D dt / dx²,
with |dt k| <= 24 (measured) and |M^-1| <= 3 (column diagonally dominant, as the oracle says; u v < 13 while n dt < 1). A second
difference of concentrations c <= 6 rounds by (1 + 2 + 1) c 1.1e-16 of z, which is less. For z <= 1 that is 5e-13 a step, and
20 steps multiply deviations by 1.8 at most: 2e-11. For z <= 20 it is 6e-12, for z <= 200 it is 6e-11, but there a step
divides older deviations by three and more: 9e-11. Allowed: 2e-10; measured 1e-14. float32 errs by 2e-7, a Jacobian by
differences by up to 2e-9: the notebook asks for the exact one.
The timed run: 4 · 5 · 1.1e-16 · D / dx² <= 8.8e-12 a unit of time, 36 units at most, and deviations that grow by less than 30
(measured over 120 draws of cells and parameters: 19): 9.5e-9. Elimination adds 1e-12: |dt k| adds up to 40. Allowed: 1e-8,
measured 2e-14. Who factorises in every second step only errs by 3e-5 and more there. Nothing here fails by chance: bounds
hold for every draw.

What cannot be seen from outside: how `step` solves its small systems. Five diagonals or a dense matrix give the same numbers
and the same evaluations; the timed reactor is where a dense matrix does not end in time.
"""

import numpy as np
import pytest

from autograder.judge.compare import close, require
from reference import brusselator as oracle

REACTOR = 2e-10  # of a concentration, a few steps; see above
TIMED = 1e-8  # of a concentration, 12 000 steps; see above
MASS = 1e-12  # of the whole; see above
# u, v and 1 at 1e11 s, to ten digits and more: Hairer and Wanner's test set for stiff solvers.
END = np.array([2.0833401497e-08, 8.3333607703e-14, 0.99999997916665])


class Quadratic:
    """f_i = c_i + sum_k L_ik y_(i+k) + y_i sum_k Q_ik y_(i+k), k = -2 to 2: five full diagonals, an exact Jacobian."""

    def __init__(self, rng, m, decay=0.0):
        self.m = m
        self.c = rng.uniform(-1.0, 1.0, m)
        at = np.subtract.outer(np.arange(m), np.arange(m))
        inside = abs(at) <= 2
        self.L = np.where(inside, rng.uniform(0.3, 1.0, (m, m)) * rng.choice([-1.0, 1.0], (m, m)), 0.0)
        self.L -= decay * np.eye(m)
        self.Q = np.where(inside, rng.uniform(-0.2, 0.2, (m, m)), 0.0)

    def __call__(self, y):
        return self.c + self.L @ y + y * (self.Q @ y)

    def jacobian(self, y):
        return self.L + np.diag(self.Q @ y) + y[:, None] * self.Q

    def scale(self, y):
        """S_i: the sizes of all terms of entry i."""
        y = np.maximum(1.0, np.abs(y))
        return np.abs(self.c) + np.abs(self.L) @ y + y * (np.abs(self.Q) @ y)


class Reaction:
    """The Brusselator's rates as a function of y, with its exact Jacobian."""

    def __init__(self, A, B, D):
        self.given = A, B, D

    def __call__(self, y):
        return oracle.rates(y, *self.given)

    def jacobian(self, y):
        return oracle.dense_jacobian(y, *self.given)

    def scale(self, y):
        A, B, D = self.given
        largest = max(1.0, np.abs(y).max(), A, B / A)
        return np.full(len(y), A + largest**3 + (B + 1.0) * largest + 4.0 * D * (len(y) // 2 + 1) ** 2 * largest)


def bands_of(J):
    """Return the five diagonals as the notebook stores them."""
    m = len(J)
    out = np.zeros((5, m))
    for shift in range(-2, 3):
        for j in range(max(0, -shift), min(m, m - shift)):
            out[2 + shift, j] = J[j + shift, j]
    return out


def agree_bands(got, f, y):
    """Compare diagonals with the exact ones, each row of the matrix by its own scale."""
    m = len(y)
    allowed = np.full((5, m), 1e-6)
    S = f.scale(y) + 1.0
    for shift in range(-2, 3):
        for j in range(max(0, -shift), min(m, m - shift)):
            allowed[2 + shift, j] = 1e-6 * S[j + shift]
    close(got / allowed, bands_of(f.jacobian(y)) / allowed, rtol=0.0, atol=1.0, what="diagonals, in units of what is allowed")


def agree_rows(got, f, y, dt):
    """Compare every row with the oracle's step from the row before."""
    close(got[0], y, rtol=0.0, what="the first row, the state at the start")
    for i in range(len(got) - 1):
        row = got[i]
        k1, k2 = oracle.slopes(row, dt, f, f.jacobian(row))
        largest = dt * max(np.abs(k1).max(), np.abs(k2).max())
        allowed = 2e-5 * (1.0 + dt * f.scale(row).max()) * largest + 1e-12 * (1.0 + np.abs(row).max())
        close(got[i + 1], row + dt * (1.5 * k1 + 0.5 * k2), rtol=0.0, atol=allowed, what=f"row {i + 1}, from row {i}")


def mixture(rng):
    """Draw A, B, D of an oscillating mixture."""
    return rng.uniform(0.9, 1.1), rng.uniform(2.8, 3.2), rng.uniform(0.015, 0.025)


def cells(rng, N):
    """Draw rough concentrations in N cells, far from rest."""
    return rng.uniform(0.5, 3.0, 2 * N)


@pytest.mark.criterion("diagonals")
@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 6, 11, 40])
def test_five_full_diagonals(submission, rng, m):
    """Nonlinear, every diagonal full, no symmetry; below five entries there are fewer diagonals than places."""
    f, y = Quadratic(rng, m), rng.uniform(-2.0, 2.0, m)
    agree_bands(submission.jacobian(y, f), f, y)


@pytest.mark.criterion("diagonals")
def test_a_reaction_with_diffusion(submission, rng):
    """The Brusselator of 12 cells, whose diagonals -1 and 1 have gaps."""
    f, y = Reaction(*mixture(rng)), cells(rng, 12)
    agree_bands(submission.jacobian(y, f), f, y)


@pytest.mark.criterion("diagonals")
def test_large_entries_and_any_memory_layout(submission, rng):
    """|y| up to 1000, where h has to grow with y, and 0, where it must not vanish; y with gaps and backwards."""
    f, stored = Quadratic(rng, 30), rng.uniform(-2.0, 2.0, 60)
    stored[6], stored[7], stored[29], stored[30] = 1000.0, 0.0, 0.0, -500.0
    for y in (stored[::2], stored[::-2]):
        agree_bands(submission.jacobian(y, f), f, y)


@pytest.mark.criterion("evaluations")
@pytest.mark.parametrize("m", [1, 5, 64, 301])
def test_seven_evaluations_suffice_for_a_jacobian(submission, rng, calls, m):
    """Whatever m is; the answer is checked as well."""
    f, y = Quadratic(rng, m), rng.uniform(-2.0, 2.0, m)
    agree_bands(submission.jacobian(y, calls(f)), f, y)
    require(calls.count <= 7, f"rhs was called {calls.count} times for a Jacobian of {m} entries; 7 are allowed")


@pytest.mark.criterion("evaluations")
@pytest.mark.parametrize("n", [1, 2, 9])
def test_seven_evaluations_suffice_for_a_step(submission, rng, calls, n):
    """A Jacobian of its own for every step."""
    f, y, dt = Quadratic(rng, 24, decay=8.0), rng.uniform(-1.0, 1.0, 24), rng.uniform(0.08, 0.12)
    agree_rows(submission.step(y, dt, n, calls(f)), f, y, dt)
    require(calls.count <= 7 * n, f"rhs was called {calls.count} times in {n} steps; 7 a step are allowed")


@pytest.mark.criterion("evaluations")
def test_nobody_asks_for_steps_that_are_not_taken(submission, rng, calls):
    """n = 0 gives one row."""
    f, y = Quadratic(rng, 8), rng.uniform(-1.0, 1.0, 8)
    close(submission.step(y, 0.1, 0, calls(f)), y[None], rtol=0.0, what="the only row")
    require(calls.count <= 1, f"rhs was called {calls.count} times for no step")


@pytest.mark.criterion("steps")
@pytest.mark.parametrize("m", [1, 2, 3, 7, 26])
def test_nonlinear_systems_agree_step_by_step(submission, rng, m):
    """Eight steps with five full diagonals and a decay that keeps the matrix dominant."""
    f, y, dt = Quadratic(rng, m, decay=8.0), rng.uniform(-1.0, 1.0, m), rng.uniform(0.08, 0.12)
    agree_rows(submission.step(y, dt, 8, f), f, y, dt)


@pytest.mark.criterion("steps")
@pytest.mark.parametrize("N", [1, 10])
def test_the_brusselator_agrees_step_by_step(submission, rng, N):
    """Stiff, dt D / dx² = 10, and far from rest."""
    A, B, _ = mixture(rng)
    dt = rng.uniform(0.01, 0.02)
    f, y = Reaction(A, B, 10.0 / dt / (N + 1) ** 2), cells(rng, N)
    agree_rows(submission.step(y, dt, 6, f), f, y, dt)


@pytest.mark.criterion("steps")
def test_decay_is_multiplied_by_the_stability_function(submission, rng):
    """y' = -z y, without coupling, z from 0.1 to 1000: R(-z) in closed form, a step at a time."""
    z = np.geomspace(0.1, 1000.0, 9) * rng.uniform(0.8, 1.2, 9)
    start, g = rng.uniform(0.5, 1.5, 9), oracle.GAMMA
    got = submission.step(start, 1.0, 4, lambda y: -z * y)
    factor = (1.0 - (1.0 - 2.0 * g) * z) / (1.0 + g * z) ** 2
    # The differences err by 1e-8 of z, and both k by as much of themselves: |dt k| <= 4 |y|; all four steps start anew.
    for i in range(4):
        close(got[i + 1], factor * got[i], rtol=0.0, atol=1e-6 * np.abs(got[i]).max(), what=f"R(-z) times row {i}")


@pytest.mark.criterion("steps")
def test_small_steps_and_none(submission, rng):
    """dt = 0 returns the start in every row; dt = 1e-6 asks for ten digits and more."""
    f, y = Quadratic(rng, 9, decay=8.0), rng.uniform(-1.0, 1.0, 9)
    close(submission.step(y, 0.0, 3, f), np.tile(y, (4, 1)), rtol=0.0, atol=1e-15, what="rows without time")
    for given in (y, y[::-1], np.repeat(y, 3)[::3]):
        agree_rows(submission.step(given, 1e-6, 3, f), f, given, 1e-6)


def times(rng, k):
    """Draw up to k + 1 ascending times, each 1.05 to 1.35 times the one before, to 1e11 s.

    The first step is 1.35e-4 s at most and every later one 0.35 of the time until then: the notebook promises 1e-3 s and a half. From (1, 0, 0)
    a step of 2e-3 s makes y2 negative, and from there the method explodes; with what is promised sums err by 2.3e-15 (measured,
    400 draws with repeated times and growth by up to 1.5).
    """
    t = np.concatenate([[0.0], 10.0 ** rng.uniform(-6.0, -4.0) * np.cumprod(rng.uniform(1.05, 1.35, k))])
    return t[t < 1e11]


def agree_reaction(got, t):
    """Compare every row with the oracle's step from the row before, and the mass with one."""
    close(got[0], np.array([1.0, 0.0, 0.0]), rtol=0.0, what="the first row")
    for i in range(len(t) - 1):
        row = got[i]
        expected = oracle.ros2(row, t[i + 1] - t[i], oracle.robertson_rates, oracle.robertson_jacobian(row))
        unit = np.array([1.0, 5e-5, 1.0])
        close(got[i + 1] / unit, expected / unit, rtol=1e-10, atol=1e-13, what=f"row {i + 1}, from row {i}, y2 in units of 5e-5")
    close(got.sum(axis=1), np.ones(len(t)), rtol=0.0, atol=MASS, what="the sum of the mass fractions")


@pytest.mark.criterion("robertson")
@pytest.mark.parametrize("k", [12, 120, 300])
def test_the_reaction_agrees_step_by_step(submission, rng, k):
    """Fresh times, to 1e11 s."""
    t = times(rng, k)
    agree_reaction(submission.robertson(t), t)


@pytest.mark.criterion("robertson")
def test_the_reaction_converges_to_the_published_end(submission):
    """Error at 1e11 s: 0.9 % with 250 steps, a quarter of that with 500."""
    errors = []
    for k in (250, 500):
        got = submission.robertson(np.concatenate([[0.0], np.geomspace(1e-5, 1e11, k)]))
        close(got[-1], END, rtol=2.5 / k, what=f"mass fractions at 1e11 s after {k} steps")
        errors.append(abs(got[-1, 0] / END[0] - 1.0))
    order = np.log2(errors[0] / errors[1])
    require(1.9 <= order <= 2.4, f"half the step divides the error by 2 to the power {order:.2f}; 2 was expected")


@pytest.mark.criterion("robertson")
def test_times_that_repeat_start_late_or_are_few(submission, rng):
    """No time, one, the same twice, a start that is not zero, every second entry of an array."""
    close(submission.robertson(np.empty(0)), np.empty((0, 3)), rtol=0.0, what="no times")
    close(submission.robertson(np.array([5.0])), np.array([[1.0, 0.0, 0.0]]), rtol=0.0, what="one time")
    t = np.repeat(times(rng, 30), 2)
    agree_reaction(submission.robertson(t), t)
    agree_reaction(submission.robertson(t[::2]), t[::2])
    late = 1000.0 + times(rng, 40)
    agree_reaction(submission.robertson(late), late)


@pytest.mark.criterion("reactor")
@pytest.mark.parametrize("N", [1, 2, 3, 8, 9, 17, 26])
def test_small_reactors_agree_with_the_oracle(submission, rng, N):
    """Rough starts far from rest; mild and stiff, dt D / dx² up to 20 and 200."""
    for stiff, n in ((rng.uniform(0.1, 1.0), 20), (rng.uniform(10.0, 20.0), 12), (rng.uniform(100.0, 200.0), 5)):
        (A, B, _), dt = mixture(rng), rng.uniform(0.01, 0.04)
        y, D = cells(rng, N), stiff / dt / (N + 1) ** 2
        close(
            submission.brusselator(y, A, B, D, dt, n),
            oracle.brusselator(y, A, B, D, dt, n),
            rtol=0.0,
            atol=REACTOR,
            what=f"{N} cells after {n} steps",
        )


@pytest.mark.criterion("reactor")
@pytest.mark.parametrize("N", [63, 100, 301, 399])
def test_large_reactors_agree_with_the_reference(submission, reference, rng, N):
    """Sizes at which pieces and remainders show; y with gaps and backwards."""
    for _ in range(2):
        (A, B, D), dt, stored = mixture(rng), rng.uniform(0.0005, 0.001), rng.uniform(0.5, 3.0, 4 * N)
        D *= min(1.0, 20.0 / (D * (N + 1) ** 2 * dt))  # dt D / dx² <= 20
        for y in (stored[: 2 * N], stored[::2], stored[::-2]):
            got = submission.brusselator(y, A, B, D, dt, 50)
            close(got, reference.brusselator(y, A, B, D, dt, 50), rtol=0.0, atol=REACTOR, what=f"{N} cells after 50 steps")


@pytest.mark.criterion("reactor")
def test_rest_stays_at_rest(submission, rng):
    """u = A, v = B / A: every rate vanishes, whatever diffuses."""
    for N in (1, 5, 40):
        A, B, D = mixture(rng)
        rest = np.tile([A, B / A], N)
        close(submission.brusselator(rest, A, B, D, 0.02, 20), rest, rtol=0.0, atol=REACTOR, what="a mixture at rest")


@pytest.mark.criterion("reactor")
def test_without_diffusion_every_cell_is_alone(submission, rng):
    """D = 0: a cell of many does what it does as the only one."""
    (A, B, _), dt, y = mixture(rng), rng.uniform(0.01, 0.03), cells(rng, 6)
    alone = [oracle.brusselator(y[2 * i : 2 * i + 2], A, B, 0.0, dt, 15) for i in range(6)]
    close(submission.brusselator(y, A, B, 0.0, dt, 15), np.concatenate(alone), rtol=0.0, atol=REACTOR, what="cells alone")


@pytest.mark.criterion("reactor")
def test_a_mirrored_start_ends_mirrored(submission, rng):
    """Both ends have the same boundary."""
    (A, B, D), y = mixture(rng), cells(rng, 21)
    mirrored = y.reshape(21, 2)[::-1].ravel()
    there = submission.brusselator(y, A, B, D, 0.02, 20)
    back = submission.brusselator(mirrored, A, B, D, 0.02, 20)
    close(back.reshape(21, 2)[::-1].ravel(), there, rtol=0.0, atol=2 * REACTOR, what="a mirrored reactor")


@pytest.mark.criterion("reactor")
def test_no_steps_and_no_time(submission, rng):
    """n = 0 or dt = 0 return the start."""
    (A, B, D), y = mixture(rng), cells(rng, 13)
    for dt, n in ((0.01, 0), (0.0, 0), (0.0, 4)):
        close(submission.brusselator(y, A, B, D, dt, n), y, rtol=0.0, atol=1e-14, what="a reactor without time")


@pytest.mark.criterion("speed")
def test_speed(duel):
    """Four hundred cells, 12 000 steps, a fresh start in every round."""

    def make(rng):
        return cells(rng, 400), *mixture(rng), rng.uniform(0.002, 0.003), 12_000

    def verify(args, got, expected):
        close(got, expected, rtol=0.0, atol=TIMED, what="the timed reactor")

    duel("brusselator", make, verify)
