"""Hidden checks of "Particles that read an epidemic".

Momenta and uniform numbers are drawn here and passed in: a chain is a function of its arguments, and is compared to rounding. With
u = 2^-53 = 1.1e-16:

- *Trajectories.* f is evaluated here. Gradients of the surfaces below change by less than 6 |dq|, and eps is 0.25 at most: a step enlarges
  deviations by less than 1 + 0.25 + 1.5 + 0.38 / 2 < 3 in the worst direction and by 1.0 in the usual one; nine steps, each rounding
  ten numbers below 10, differ by 10 · 10 u · (3^9 / 2) = 1.1e-10 if everything conspires, 1e-14 in fact; PATH = 2e-10. Single
  precision is off by 1e-6.
- *Chains* are judged sample by sample: each from the submission's own one before. Where log w and H(start) - H(end) differ by less than
  NEAR = 1e-8 either is right.
- *The epidemic.* A step rounds I by 8 u of itself, and S by u; relative deviations grow threefold at most. I, below 0.5, errs by
  240 · 8 u · 3 · 0.5 + 240 · 0.1 · 240 u < 1e-12. U = sum r^2 / (2 sd^2) then errs by 60 |r| 1e-12 / 4e-4 = 1.5e-7 |r|, which is below
  3e-10 (1 + U) for every r; ENERGY = 1e-9 of 1 + U. Derivatives of I are below 3 and err by 6e-12: the gradient by
  60 (3 · 1e-12 + |r| 6e-12) / 4e-4 = 4.5e-7 + 9e-7 |r|; SLOPE = 1e-6 of 1 + U. In fact 7e-15 and 7e-14 (300 draws). Single precision is
  off by 1e-6 of U, and by more in the gradient. Good differences instead of derivatives pass; they cost five times the evaluations.
- *Timed chains* forget: neighbours with the same momenta approach each other (two programs differed by 4e-15 in the end), and
  are compared at 1e-8. A tie between log w and H that rounding decides (1e-12 wide) happens in one chain of a whole duel with
  probability 3e-6; one chain of 1024 may be another one. False alarms: below 1e-10.
"""

import math

import numpy as np
import pytest

from autograder.judge.compare import close, require
from reference import hmc as oracle

PATH, NEAR = 2e-10, 1e-8
ENERGY, SLOPE, CHAIN = 1e-9, 1e-6, 1e-8  # see above


def surface(rng, d):
    """Draw a smooth bowl with waves on it; its gradient changes by less than 6 |dq|."""
    Q = np.linalg.qr(rng.standard_normal((d, d)))[0]
    A = Q @ np.diag(rng.uniform(0.5, 4.0, d)) @ Q.T
    c, v = rng.uniform(-0.5, 0.5, d), rng.uniform(1.0, 2.0, d)

    def f(q):
        return float(q @ A @ q / 2 + c @ np.cos(v * q)), A @ q - c * v * np.sin(v * q)

    return f


def agree_path(got, expected, what):
    """Compare positions and momenta."""
    for mine, theirs, name in zip(got, expected, ("q", "p"), strict=True):
        close(mine, theirs, rtol=0.0, atol=PATH, what=f"{name} {what}")


def follow(rows, f, q0, eps, L, P, w):
    """Compare every sample with the oracle's, from the submission's own one before."""
    q = q0
    for i, row in enumerate(rows):
        end, gain = oracle.move(f, q, P[i], eps, L)
        taken, stayed = math.log(w[i]) < gain + NEAR, not math.log(w[i]) < gain - NEAR
        if stayed and np.array_equal(row, q):
            continue
        if not taken:
            close(row, q, rtol=0.0, what=f"sample {i}, which is rejected and repeats the one before")
        close(row, end, rtol=0.0, atol=PATH, what=f"sample {i}, where its trajectory ends")
        q = row


def outbreak(rng, days):
    """Draw rates, and what was observed of their epidemic."""
    theta = oracle.CENTRE + rng.uniform(-0.4, 0.4, 2)
    beta, gamma = np.exp(theta)
    return theta, np.array(oracle.prevalence(beta, gamma, days)) + oracle.SD * rng.standard_normal(days)


@pytest.mark.criterion("trajectory")
@pytest.mark.parametrize("d, L", [(1, 1), (2, 2), (3, 9), (5, 4)])
def test_random_surfaces(submission, rng, d, L):
    """One step, two, and several; in one to five dimensions."""
    f, q, p, eps = surface(rng, d), rng.uniform(-2.0, 2.0, d), rng.standard_normal(d), rng.uniform(0.1, 0.25)
    agree_path(submission.leapfrog(f, q, p, eps, L), oracle.leapfrog(f, q, p, eps, L), f"after {L} steps")


@pytest.mark.criterion("trajectory")
def test_the_way_back(submission, rng):
    """With the momentum turned around, and with a step of the other sign: a leapfrog leads where it came from."""
    f, q, p, eps = surface(rng, 3), rng.uniform(-2.0, 2.0, 3), rng.standard_normal(3), rng.uniform(0.1, 0.25)
    x, v = submission.leapfrog(f, q, p, eps, 9)
    back, turned = submission.leapfrog(f, x, -v, eps, 9)
    agree_path((back, -turned), (q, p), "of the way back")
    agree_path(submission.leapfrog(f, x, v, -eps, 9), (q, p), "of the way back by negative steps")


@pytest.mark.criterion("epidemic")
@pytest.mark.parametrize("days", [1, 2, 30, 60])
def test_energy_and_gradient(submission, rng, days):
    """Near the rates that made the data, and farther away."""
    theta, data = outbreak(rng, days)
    for away in (0.02, 0.4):
        x = theta + rng.uniform(-away, away, 2)
        (U, slope), (V, expected) = submission.epidemic(x, data), oracle.epidemic(x, data)
        close(np.array(U), np.array(V), rtol=0.0, atol=ENERGY * (1.0 + V), what=f"U of {days} days")
        close(slope, expected, rtol=0.0, atol=SLOPE * (1.0 + V), what=f"the gradient of {days} days")


@pytest.mark.criterion("epidemic")
def test_no_data(submission, rng):
    """The prior alone."""
    x = oracle.CENTRE + rng.uniform(-1.0, 1.0, 2)
    (U, slope), (V, expected) = submission.epidemic(x, np.empty(0)), oracle.epidemic(x, np.empty(0))
    close(np.array(U), np.array(V), rtol=1e-12, what="U without data")
    close(slope, expected, rtol=0.0, atol=1e-12 * np.abs(expected).max(), what="the gradient without data")


@pytest.mark.criterion("chain")
@pytest.mark.parametrize("d, L", [(1, 3), (2, 5), (4, 2)])
def test_random_chains(submission, rng, d, L):
    """Steps of some length, so that some samples are rejected."""
    f, q0, eps, n = surface(rng, d), rng.uniform(-1.0, 1.0, d), rng.uniform(0.2, 0.25), 12
    P, w = 2.0 * rng.standard_normal((n, d)), rng.uniform(0.7, 1.0, n)
    follow(submission.hmc(f, q0, eps, L, P, w), f, q0, eps, L, P, w)


@pytest.mark.criterion("chain")
def test_whatever_w_says(submission, rng):
    """Next to nothing accepts everything; next to one accepts what gains, and nothing else."""
    f, q0, P = surface(rng, 2), rng.uniform(-1.0, 1.0, 2), rng.standard_normal((10, 2))
    for w in (np.full(10, 1e-300), np.full(10, 1.0 - 2.0**-53)):
        follow(submission.hmc(f, q0, 0.25, 3, P, w), f, q0, 0.25, 3, P, w)


@pytest.mark.criterion("chain")
@pytest.mark.parametrize("m, days", [(1, 60), (3, 20), (17, 2)])
def test_chains_of_an_epidemic(submission, rng, m, days):
    """Every chain with its own start, momenta and numbers; few enough that a block is not full."""
    theta, data = outbreak(rng, days)
    Q0, P, w = theta + 0.05 * rng.standard_normal((m, 2)), rng.standard_normal((m, 4, 2)), rng.random((m, 4))
    got = submission.chains(Q0, 0.01, 3, P, w, data)
    for c in range(m):
        follow(got[c], lambda q: oracle.epidemic(q, data), Q0[c], 0.01, 3, P[c], w[c])


@pytest.mark.criterion("evaluations")
@pytest.mark.parametrize("n, L", [(1, 1), (8, 3), (5, 7)])
def test_evaluations_are_few(submission, calls, rng, n, L):
    """n L + 1, however many samples are rejected."""
    submission.hmc(calls(surface(rng, 2)), np.ones(2), 0.25, L, 2.0 * rng.standard_normal((n, 2)), rng.uniform(0.7, 1.0, n))
    require(0 < calls.count <= n * L + 1, f"f was called {calls.count} times for n = {n}, L = {L}; n L + 1 = {n * L + 1} suffice")


@pytest.mark.criterion("evaluations")
def test_a_trajectory_needs_one_more_than_its_steps(submission, calls, rng):
    """L + 1."""
    submission.leapfrog(calls(surface(rng, 2)), np.ones(2), np.ones(2), 0.1, 6)
    require(0 < calls.count <= 7, f"f was called {calls.count} times in a trajectory of 6 steps; 7 suffice")


@pytest.mark.criterion("edge-cases")
def test_no_step_at_all(submission, rng):
    """eps = 0: every sample is the start, bit for bit."""
    q0 = rng.standard_normal(3)
    got = submission.hmc(surface(rng, 3), q0, 0.0, 2, rng.standard_normal((4, 3)), rng.random(4))
    close(got, np.tile(q0, (4, 1)), rtol=0.0, what="the samples for eps = 0")


@pytest.mark.criterion("edge-cases")
def test_no_samples(submission, rng):
    """n = 0, of one chain and of many."""
    close(submission.hmc(surface(rng, 2), np.ones(2), 0.1, 2, np.empty((0, 2)), np.empty(0)), np.empty((0, 2)), rtol=0.0, what="no samples")
    none = submission.chains(np.ones((3, 2)), 0.1, 2, np.empty((3, 0, 2)), np.empty((3, 0)), np.array([0.1]))
    close(none, np.empty((3, 0, 2)), rtol=0.0, what="no samples of three chains")


@pytest.mark.criterion("edge-cases")
def test_a_wall(submission, rng):
    """U is infinite for q1 > 1: no sample lies there."""
    inner = surface(rng, 2)

    def f(q):
        U, slope = inner(q)
        return (U, slope) if q[0] <= 1.0 else (np.inf, np.zeros(2))

    q0, P, w = np.array([0.9, 0.0]), np.abs(rng.standard_normal((8, 2))), rng.random(8)
    got = submission.hmc(f, q0, 0.2, 4, P, w)
    follow(got, f, q0, 0.2, 4, P, w)
    require((got[:, 0] <= 1.0).all(), "a sample lies behind the wall, where U is infinite")


@pytest.mark.criterion("edge-cases")
def test_steps_that_diverge(submission, rng):
    """A quartic bowl and steps of a hundred: energies overflow, differences are NaN, nothing is accepted."""

    def f(q):
        with np.errstate(over="ignore", invalid="ignore"):
            return float((q**4).sum()), 4.0 * q**3

    q0 = rng.uniform(1.0, 2.0, 2)
    got = submission.hmc(f, q0, 100.0, 8, rng.standard_normal((3, 2)), rng.random(3))
    close(got, np.tile(q0, (3, 1)), rtol=0.0, what="the samples of a diverging chain")


@pytest.mark.criterion("edge-cases")
def test_chains_that_diverge(submission, rng):
    """Full blocks and a rest, steps of ten: rates overflow within a few, differences are NaN, every chain stays at its start, bit for bit."""
    theta, data = outbreak(rng, 60)
    Q0 = theta + 0.03 * rng.standard_normal((150, 2))
    got = submission.chains(Q0, 10.0, 6, rng.standard_normal((150, 3, 2)), rng.random((150, 3)), data)
    close(got, np.repeat(Q0[:, None], 3, axis=1), rtol=0.0, what="the samples of diverging chains")


@pytest.mark.criterion("speed")
def test_speed(duel):
    """1024 chains of 40 samples, six steps each, an epidemic of sixty days; all samples against the kernel's."""

    def make(rng):
        theta, data = outbreak(rng, 60)
        return theta + 0.03 * rng.standard_normal((1024, 2)), 0.005, 6, rng.standard_normal((1024, 40, 2)), rng.random((1024, 40)), data

    def verify(args, got, expected):
        right = np.abs(got - expected).max(axis=(1, 2)) <= CHAIN  # never for NaN
        require(right.sum() >= 1023, f"{1024 - right.sum()} of 1024 chains of the timed call are other ones")

    duel("chains", make, verify)
