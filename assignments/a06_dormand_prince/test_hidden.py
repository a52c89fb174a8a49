"""Hidden checks of "Predators, prey, and a fifth-order step".

Trajectories are judged step by step: row i + 1 is compared with one step of the oracle from the submission's own row i, so
that nothing grows and one tolerance serves all. Stages 5 and 6 add slopes times weights that sum to 25 in magnitude, and
each has at most 15 roundings of 1.1e-16; with |dt k| and dt times the Lipschitz constant of f below 1, as everywhere here,
slopes err by at most 15 · 1.1e-16 · 25 · 26 = 1.1e-12 of the state's scale through all stages, and the step by 1.6 times
that, in any order of the sums. Single precision errs by 6e-8, the fourth-order row by 1e-6 and more.

Members of an ensemble are compared at the end, relative to themselves, since prey and predators multiply. A step rounds by at
most 50 · 1.1e-16 of each, and deviations grow by less than 100 until time 36 (measured: 86) for the parameters drawn
here: 600 steps differ by 3.3e-10 if every rounding conspires, 4e-13 in fact. The truncation error is 1e-7 and more for
most members: no other method will do, however exact. Nothing here fails by chance: bounds hold for every draw.

What cannot be seen from outside: scipy's RK45 takes the same step. Forced to a fixed length (first_step = max_step = dt,
tolerances of 1e300, time counted from zero) it passes as dp5, with 6 n + 1 evaluations, as a first-same-as-last loop of
one's own does (mutants/library_fixed_steps.py). Who manages that knows what a step is; its ensemble is an
ensemble in whole-array NumPy, and earns what that earns. Graders of the written answers see the code.
"""

import math

import numpy as np
import pytest

from autograder.judge.compare import close, require
from reference import dormand_prince as oracle

STEP = 1e-11  # of the state's scale, for one step; see above
MEMBER = 1e-9  # of a population, after all steps; see above
NOMINAL = np.array([1.5, 1.0, 3.0, 1.0])  # alpha, beta, gamma, delta, 1/year


def network(u, p, t):
    """Return tanh(W u + v cos(w t)), slopes below 1; p holds W, v, w."""
    d = len(u)
    return np.tanh(p[: d * d].reshape(d, d) @ u + p[d * d : d * d + d] * np.cos(p[-1] * t))


def draw_network(rng, d):
    """Draw parameters of `network`; the Lipschitz constant is at most 2."""
    W = rng.uniform(-1.0, 1.0, (d, d))
    return np.concatenate([(2.0 / np.linalg.norm(W) * W).ravel(), rng.uniform(0.5, 1.0, d), [rng.uniform(1.0, 2.0)]])


def linear(u, p, t):
    """Return A u; p holds A."""
    return p.reshape(len(u), len(u)) @ u


def agree(got, f, u0, p, t0, dt):
    """Compare every row with the oracle's step from the row before."""
    close(got[0], u0, rtol=0.0, what="the first row, the state at t0")
    scale = 1.0 + np.abs(u0).max(initial=0.0)
    for i in range(len(got) - 1):
        expected = oracle.step(f, got[i], p, t0 + i * dt, dt)
        close(got[i + 1], expected, rtol=0.0, atol=STEP * scale, what=f"row {i + 1}, from row {i}")
        scale = 1.0 + np.abs(got[i + 1]).max(initial=0.0)


def members(rng, m):
    """Draw m parameter vectors within 35 % of the nominal ones."""
    return NOMINAL * np.exp(rng.uniform(-0.3, 0.3, (m, 4)))


def start(rng):
    """Draw populations at the start, around 1."""
    return np.exp(rng.uniform(-0.5, 0.5, 2))


def agree_members(got, expected, what="an ensemble"):
    """Compare populations, each relative to itself."""
    close(got, expected, rtol=MEMBER, what=what)


@pytest.mark.criterion("steps")
@pytest.mark.parametrize("d", [2, 3, 5])
def test_random_networks_agree_step_by_step(submission, rng, d):
    """Nonlinear, coupled, driven in time, with parameters; a dozen steps."""
    p, u0, t0, dt = draw_network(rng, d), rng.uniform(-1.0, 1.0, d), rng.uniform(-1.0, 1.0), rng.uniform(0.15, 0.25)
    agree(submission.dp5(network, u0, p, t0, dt, 12), network, u0, p, t0, dt)


@pytest.mark.criterion("steps")
def test_predators_and_prey_agree_step_by_step(submission, rng):
    """Forty steps of Lotka–Volterra, more than half a cycle."""
    p, u0, dt = members(rng, 1)[0], start(rng), rng.uniform(0.04, 0.06)
    agree(submission.dp5(oracle.lotka_volterra, u0, p, 0.0, dt, 40), oracle.lotka_volterra, u0, p, 0.0, dt)


@pytest.mark.criterion("steps")
def test_a_linear_equation_is_multiplied_by_the_stability_polynomial(submission, rng):
    """u' = z u, z complex: a step multiplies by 1 + z + … + z⁵/120 + z⁶/600, known in closed form."""
    dt, n = rng.uniform(0.3, 0.5), 8
    z = complex(rng.uniform(-1.5, 0.0), rng.uniform(0.5, 1.5))
    p = np.array([z.real, -z.imag, z.imag, z.real])
    got = submission.dp5(linear, np.array([1.0, 0.0]), p, 0.0, dt, n)
    powers = np.array([oracle.stability(z * dt) ** i for i in range(n + 1)])
    # |R| < 1: the bound of one step, n times.
    close(got, np.stack([powers.real, powers.imag], axis=1), rtol=0.0, atol=n * STEP, what="powers of R(z)")


@pytest.mark.criterion("order")
def test_the_error_of_a_linear_system_falls_with_the_fifth_power(submission, rng):
    """u' = A u with a spiral and a decay, in random directions."""
    a, w, c = rng.uniform(0.1, 0.5), rng.uniform(0.8, 1.5), rng.uniform(0.5, 1.5)
    Q = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    A = Q @ np.array([[-a, -w, 0.0], [w, -a, 0.0], [0.0, 0.0, -c]]) @ Q.T
    v = np.array([1.0, 0.0, 1.0])

    def exact(t):
        return Q @ np.array([math.exp(-a * t) * math.cos(w * t), math.exp(-a * t) * math.sin(w * t), math.exp(-c * t)])

    five(lambda dt, n: submission.dp5(linear, Q @ v, A.ravel(), 0.0, dt, n), exact, 0.0, 2.0, 16)


@pytest.mark.criterion("order")
def test_the_error_of_a_driven_equation_falls_with_the_fifth_power(submission, rng):
    """u' = w cos w t - p (u - sin w t) is solved by sin w t: the nodes c_i count as much as the weights."""
    p, w, t0 = rng.uniform(0.5, 1.0), rng.uniform(1.0, 2.0), rng.uniform(-3.0, 3.0)

    def driven(u, parameters, t):
        return parameters[1] * np.cos(w * t) - parameters[0] * (u - np.sin(w * t))

    def exact(t):
        return np.array([math.sin(w * t)])

    five(lambda dt, n: submission.dp5(driven, exact(t0), np.array([p, w]), t0, dt, n), exact, t0, 4.0, 40)


def five(solve, exact, t0, span, n):
    """Require an order in [4.7, 5.3] from the errors with n and with 2 n steps, at the times of the coarser grid.

    The oracle's lay in [5.02, 5.22] and [4.93, 5.07] for 4000 draws each of the two equations. Who agrees with it to
    1e-13, as "steps" asks, cannot be elsewhere: the errors are above 2e-11.
    """
    truth = np.array([exact(t0 + span * i / n) for i in range(n + 1)])
    coarse = np.linalg.norm(solve(span / n, n) - truth)
    fine = np.linalg.norm(solve(span / (2 * n), 2 * n)[::2] - truth)
    require(fine > 0.0, "the error vanishes: this is the exact solution, not a method's")
    order = math.log2(coarse / fine)
    require(4.7 <= order <= 5.3, f"halving the step divides the error by 2 to the power {order:.2f}; 5 was expected")


@pytest.mark.criterion("evaluations")
@pytest.mark.parametrize("n", [1, 2, 13])
def test_seven_evaluations_a_step_suffice(submission, rng, calls, n):
    """Counted here; the right-hand side sees times between the ends, and the parameters as they were given."""
    p, u0, t0, dt = draw_network(rng, 2), rng.uniform(-1.0, 1.0, 2), rng.uniform(-1.0, 1.0), rng.uniform(0.1, 0.2)
    seen = []

    def watched(u, given, t):
        seen.append((t, np.array_equal(given, p)))
        return network(u, p, t)

    got = submission.dp5(calls(watched), u0, p, t0, dt, n)
    agree(got, network, u0, p, t0, dt)
    require(calls.count <= 7 * n, f"f was called {calls.count} times in {n} steps; 7 a step are allowed")
    require(all(intact for _, intact in seen), "f has to be called with the parameters p as they were given")
    early, late = min(t for t, _ in seen), max(t for t, _ in seen)
    require(t0 - 1e-12 <= early and late <= t0 + n * dt + 1e-12, "f was called at a time outside the interval")


@pytest.mark.criterion("edge-cases")
def test_no_steps_return_the_start(submission, rng, calls):
    """n = 0 gives one row; f may be asked once, by who keeps the first slope."""
    for d in (1, 4):
        p, u0 = draw_network(rng, d), rng.standard_normal(d)
        got = submission.dp5(calls(network), u0, p, 0.5, 0.1, 0)
        close(got, u0[None], rtol=0.0, what="the only row")
    require(calls.count <= 2, "f was called for steps that nobody asked for")


@pytest.mark.criterion("edge-cases")
def test_one_dimension_and_no_parameters(submission, rng):
    """d = 1, p empty, one step and several."""

    def logistic(u, p, t):
        return u * (1.0 - u)

    for n in (1, 6):
        u0, p, dt = rng.uniform(0.1, 0.9, 1), np.empty(0), rng.uniform(0.2, 0.4)
        agree(submission.dp5(logistic, u0, p, 0.0, dt, n), logistic, u0, p, 0.0, dt)


@pytest.mark.criterion("edge-cases")
def test_a_function_of_time_alone_is_integrated(submission, rng):
    """A polynomial of degree four is integrated exactly, one of degree five with the method's own error."""

    def polynomial(u, p, t):
        return np.array([np.polyval(p, t)]) + 0.0 * u

    t0, dt, u0 = rng.uniform(-1.0, 1.0), rng.uniform(0.1, 0.2), rng.uniform(-1.0, 1.0, 1)
    for degree in (0, 4, 5):
        p = rng.uniform(-1.0, 1.0, degree + 1)
        got = submission.dp5(polynomial, u0, p, t0, dt, 9)
        agree(got, polynomial, u0, p, t0, dt)
        if degree < 5:
            integral = np.polyint(p)
            exact = u0[0] + np.polyval(integral, t0 + 9 * dt) - np.polyval(integral, t0)
            close(got[-1, 0], exact, rtol=0.0, atol=9 * STEP * (1.0 + abs(exact)), what="the integral of a polynomial")


@pytest.mark.criterion("edge-cases")
def test_backwards_in_time(submission, rng):
    """dt < 0: the first row is still the start, and a step there and back nearly closes."""
    p, u0, t0, dt = draw_network(rng, 3), rng.uniform(-1.0, 1.0, 3), rng.uniform(-1.0, 1.0), -rng.uniform(0.1, 0.2)
    there = submission.dp5(network, u0, p, t0, dt, 10)
    agree(there, network, u0, p, t0, dt)
    back = submission.dp5(network, there[-1], p, t0 + 10 * dt, -dt, 10)
    agree(back, network, there[-1], p, t0 + 10 * dt, -dt)


@pytest.mark.criterion("edge-cases")
def test_late_times_do_not_change_the_step(submission, rng):
    """Seconds since 1970 are 1.7e9, where neighbouring numbers are 2e-7 apart: the step is dt, not a difference of times."""
    p, u0, t0, dt = draw_network(rng, 2), rng.uniform(-1.0, 1.0, 2), 1.7e9 + rng.uniform(0.0, 1e8), 0.1

    def autonomous(u, p, t):
        return network(u, p, 0.0)

    agree(submission.dp5(autonomous, u0, p, t0, dt, 8), autonomous, u0, p, t0, dt)


@pytest.mark.criterion("edge-cases")
def test_many_components_in_any_memory_layout(submission, rng):
    """A chain of 400 decaying numbers, given with gaps and backwards; called twice, because nothing may survive."""

    def chain(u, p, t):
        return p * (np.roll(u, 1) - u)

    stored, rates = rng.uniform(0.0, 1.0, (400, 3)), rng.uniform(0.5, 1.0, 800)
    for u0 in (stored[:, 1], stored[::-1, 2], stored[:, 1]):
        agree(submission.dp5(chain, u0, rates[::2], 0.0, 0.2, 4), chain, u0, rates[::2], 0.0, 0.2)


@pytest.mark.criterion("members")
@pytest.mark.parametrize("m", [1, 2, 7, 33])
def test_small_ensembles_agree_with_the_oracle(submission, rng, m):
    """Any number of members, a few steps and more."""
    for n in (1, 60):
        u0, P, dt = start(rng), members(rng, m), rng.uniform(0.04, 0.06)
        agree_members(submission.ensemble(u0, P, dt, n), oracle.ensemble(u0, P, dt, n))


@pytest.mark.criterion("members")
@pytest.mark.parametrize("m", [257, 1000, 4099])
def test_large_ensembles_agree_with_the_reference(submission, reference, rng, m):
    """Sizes at which blocks and remainders show, forwards and backwards, P stored by columns or with gaps."""
    P = members(rng, 2 * m)
    for given in (P[:m], np.asfortranarray(P[:m]), P[::2], P[::-2]):
        u0, dt, n = start(rng), rng.choice([-1.0, 1.0]) * rng.uniform(0.04, 0.05), int(rng.integers(50, 200))
        agree_members(submission.ensemble(u0, given, dt, n), reference.ensemble(u0, given, dt, n))


@pytest.mark.criterion("members")
def test_no_members_and_no_steps(submission, rng):
    """m = 0 gives an empty array of two columns, n = 0 the start for everybody."""
    u0, P = start(rng), members(rng, 9)
    close(submission.ensemble(u0, P[:0], 0.05, 10), np.empty((0, 2)), rtol=0.0, what="an ensemble of nobody")
    close(submission.ensemble(u0, P, 0.05, 0), np.tile(u0, (9, 1)), rtol=1e-13, what="an ensemble after no steps")


@pytest.mark.criterion("members")
def test_members_that_do_not_meet(submission, rng):
    """beta = delta = 0, and no predators: prey grow by R(alpha dt) a step, predators shrink by R(-gamma dt)."""
    u0, P, dt, n = start(rng), members(rng, 40), rng.uniform(0.04, 0.06), 80
    P[::2, [1, 3]] = 0.0
    alone = submission.ensemble(u0, P, dt, n)
    expected = np.array([[oracle.stability(a * dt) ** n, oracle.stability(-g * dt) ** n] for a, _, g, _ in P]) * u0
    agree_members(alone[::2], expected[::2], "members without encounters")
    agree_members(alone[1::2], oracle.ensemble(u0, P[1::2], dt, n), "members beside those without encounters")
    no_predators = submission.ensemble(np.array([u0[0], 0.0]), P, dt, n)
    agree_members(no_predators[:, 0], expected[:, 0], "prey without predators")
    close(no_predators[:, 1], np.zeros(40), rtol=0.0, atol=1e-300, what="predators out of nothing")


@pytest.mark.criterion("members")
def test_a_balance_stays(submission, rng):
    """x = gamma/delta, y = alpha/beta: births and deaths cancel, if no parameter is mistaken for another."""
    u0, P = start(rng), members(rng, 30)
    P[:, 2], P[:, 0] = u0[0] * P[:, 3], u0[1] * P[:, 1]
    got = submission.ensemble(u0, P, 0.05, 100)
    agree_members(got, np.tile(u0, (30, 1)), "members in balance")


@pytest.mark.criterion("speed")
def test_speed(duel, rng):
    """Twenty thousand members, 600 steps, fresh in every round."""

    def make(rng):
        return start(rng), members(rng, 20_000), rng.uniform(0.04, 0.06), 600

    def verify(args, got, expected):
        agree_members(got, expected, "the timed ensemble")

    duel("ensemble", make, verify)
