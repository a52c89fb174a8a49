"""Hidden checks of "Which unknown warms the climate most?".

With u = 2^-53 = 1.1e-16:

- *Warming.* A step adds products below 0.7 K (|T| < 7, coefficients below 0.1) and rounds a dozen times, coefficients that were multiplied
  out among them: 12 · 0.7 u + 7 u = 1.7e-15 at most. Within the bounds a step enlarges no deviation (its derivative lies between 0.6 and
  1), so that 2500 steps add up to 4.3e-12 if every rounding conspires; MODEL = 1e-11. Steps of another length, or of another method,
  are off by 1e-5 and more in all but the latest years (measured, for all of 2000 members: a twentieth of a year 1.7e-5 to 4e-4 after 40
  years, Heun's second-order step twice that), single precision by 1e-7 and more.
- *Indices of a function of ours.* f is evaluated here, at points that are copies: every program gets the same values. What differs is
  the order of sums: with M the largest |f - m|, at most 4 M^2 (2 n + 10) u / V, plus 2 M |f| u / V for the mean, which is what
  `slack` says for each draw. Single precision errs a billion times more.
- *Indices of the climate.* Values differ by 2 · MODEL at most, indices then by 2 · 2 MODEL · 4 M / V; with M < 2.5 and V > 0.15 (2.23 and
  0.204 were the extremes of 300 draws of both samples) that is 2.7e-9; CLIMATE = 5e-9. What was computed from fewer members, or from
  others, is off by 1e-3.

Nothing here fails by chance: the bounds hold for every draw.

What cannot be seen from outside: a program that knows the model may take its steps in any form that gives these numbers.
"""

import numpy as np
import pytest

from autograder.judge.compare import close, require
from reference import sobol as oracle

MODEL, CLIMATE = 1e-11, 5e-9  # K; indices; see above
U = 2.0**-53


def members(rng, n):
    """Draw n members of the climate, within the bounds."""
    return oracle.LOW + (oracle.HIGH - oracle.LOW) * rng.random((n, 6))


def surface(rng, k):
    """Draw a function of k inputs that all matter differently, alone and together."""
    a, W, c = rng.uniform(0.5, 2.0, k) * rng.choice([-1.0, 1.0], k), rng.uniform(-1.0, 1.0, (k, k)), rng.uniform(1.0, 5.0, k)

    def f(x):
        return float(a @ np.sin(c * x) + x @ W @ x)

    return f


def slack(f, A, B):
    """Bound what another order of the sums can change."""
    values = np.array([f(x) for x in np.concatenate([A, B])])
    mixed = np.array([f(np.where(np.arange(A.shape[1]) == i, b, a)) for a, b in zip(A, B, strict=True) for i in range(A.shape[1])])
    m, V = values.mean(), values.var()
    M, size = max(np.abs(values - m).max(), np.abs(mixed - m).max()), max(np.abs(values).max(), np.abs(mixed).max())
    return (4.0 * M * M * (2 * len(A) + 10) + 2.0 * M * size * (2 * len(A) + 10)) * U / V


def agree(submission, f, A, B):
    """Compare both rows of indices with the oracle's."""
    got, expected, atol = submission.sobol(f, A, B), oracle.sobol(f, A, B), slack(f, A, B)
    for mine, theirs, what in zip(got, expected, ("S", "ST"), strict=True):
        close(mine, theirs, rtol=0.0, atol=atol, what=what)


@pytest.mark.criterion("model")
@pytest.mark.parametrize("years", [1, 7, 69, 70, 71, 110])
def test_random_climates(submission, rng, years):
    """Before, at and after the doubling of carbon dioxide."""
    p = members(rng, 9)
    close(submission.warming(p, years), oracle.warming(p, years), rtol=0.0, atol=MODEL, what=f"T after {years} years")


@pytest.mark.criterion("model")
@pytest.mark.parametrize("name, column", [("F", 0), ("lam", 1), ("a", 2), ("C", 3), ("E", 4), ("gamma", 5)])
def test_one_parameter_at_a_time(submission, rng, name, column):
    """All members alike but for one parameter: names the one that is read wrongly."""
    p = np.repeat(members(rng, 1), 5, axis=0)
    p[:, column] = members(rng, 5)[:, column]
    close(submission.warming(p, 40), oracle.warming(p, 40), rtol=0.0, atol=MODEL, what=f"T where only {name} differs")


@pytest.mark.criterion("model")
def test_parameters_are_left_alone(submission, rng):
    """Asked twice, in another order."""
    p = members(rng, 70)
    first = submission.warming(p, 12)
    close(submission.warming(p[::-1], 12), first[::-1], rtol=0.0, atol=MODEL, what="T of the same members in another order")


@pytest.mark.criterion("estimators")
@pytest.mark.parametrize("n, k", [(2, 2), (7, 3), (16, 5), (33, 2)])
def test_random_functions(submission, rng, n, k):
    """Curved, with interactions of all pairs."""
    agree(submission, surface(rng, k), rng.random((n, k)), rng.random((n, k)))


@pytest.mark.criterion("estimators")
def test_every_input_has_its_place(submission, rng):
    """f is one input times a weight, plus a product of two others: which is which."""
    k = 5
    order = rng.permutation(k)
    w = rng.uniform(1.0, 2.0)

    def f(x):
        return float(w * x[order[0]] + 3.0 * x[order[1]] * x[order[2]])

    A, B = rng.random((40, k)), rng.random((40, k))
    agree(submission, f, A, B)
    S, ST = submission.sobol(f, A, B)
    for i in order[3:]:
        require(S[i] == 0.0 and ST[i] == 0.0, f"f does not depend on input {i}, but its indices are {S[i]:.3g} and {ST[i]:.3g}")


@pytest.mark.criterion("evaluations")
@pytest.mark.parametrize("n, k", [(1, 1), (6, 2), (9, 4), (20, 6)])
def test_no_run_is_made_twice(submission, calls, rng, n, k):
    """n (k + 2), whatever n and k are."""
    submission.sobol(calls(surface(rng, k)), rng.random((n, k)), rng.random((n, k)))
    require(calls.count <= n * (k + 2), f"f was called {calls.count} times for n = {n}, k = {k}; n (k + 2) = {n * (k + 2)} suffice")


@pytest.mark.criterion("evaluations")
def test_points_are_those_of_the_samples(submission, rng):
    """f says where it was called: rows of A, of B, and of A with one column of B; each once."""
    n, k = 8, 3
    A, B, seen, f = rng.random((n, k)), rng.random((n, k)), [], surface(rng, k)

    def told(x):
        seen.append(tuple(x))
        return f(x)

    submission.sobol(told, A, B)
    wanted = {tuple(row) for row in (*A, *B)}
    wanted |= {tuple(np.where(np.arange(k) == i, b, a)) for a, b in zip(A, B, strict=True) for i in range(k)}
    others = [x for x in seen if x not in wanted]
    require(not others, f"f was called at {others[:1]}, which is no row of A, B or A with a column of B")
    require(len(set(seen)) == len(wanted), f"of {len(wanted)} points f was called at {len(set(seen))}")


@pytest.mark.criterion("edge-cases")
def test_one_input(submission, rng):
    """k = 1: A with the column of B is B."""
    f = surface(rng, 1)
    agree(submission, f, rng.random((12, 1)), rng.random((12, 1)))


@pytest.mark.criterion("edge-cases")
def test_one_point(submission, rng):
    """n = 1: two values, and their variance."""
    f = surface(rng, 3)
    agree(submission, f, rng.random((1, 3)), rng.random((1, 3)))


@pytest.mark.criterion("edge-cases")
def test_an_output_that_never_changes(submission, rng):
    """V = 0: nothing to be shared, all indices are zero."""
    c = float(rng.integers(1, 9))  # sums of it are exact
    for indices in submission.sobol(lambda x: c, rng.random((6, 3)), rng.random((6, 3))):
        close(indices, np.zeros(3), rtol=0.0, what="the indices of a constant")


@pytest.mark.criterion("edge-cases")
def test_a_large_number_added_changes_nothing(submission, rng):
    """Degrees of another scale: f + 1e6 has the indices of f, but for the digits that f has lost by it."""
    f, A, B = surface(rng, 3), rng.random((30, 3)), rng.random((30, 3))
    agree(submission, lambda x: f(x) + 1e6, A, B)


@pytest.mark.criterion("edge-cases")
@pytest.mark.parametrize("n", [1, 5, 33])
def test_few_climates(submission, rng, n):
    """One point and sizes around a block; after thirty years."""
    A, B = rng.random((n, 6)), rng.random((n, 6))
    V = oracle.warming(oracle.LOW + (oracle.HIGH - oracle.LOW) * np.concatenate([A, B]), 30).var()
    for got, expected, what in zip(submission.climate_indices(A, B, 30), oracle.climate_indices(A, B, 30), ("S", "ST"), strict=True):
        # 2 · 2 MODEL · 4 M / V, see above, and as much of the index itself, which V divides: with few points it may be large
        atol = 16.0 * MODEL * 2.5 / V * (1.0 + np.abs(expected).max())
        close(got, expected, rtol=0.0, atol=atol, what=f"{what} of {n} climates")


@pytest.mark.criterion("edge-cases")
def test_no_years(submission, rng):
    """Nothing has warmed yet, and nothing is uncertain."""
    A, B = rng.random((4, 6)), rng.random((4, 6))
    close(submission.warming(members(rng, 4), 0), np.zeros(4), rtol=0.0, what="T after no years")
    for indices in submission.climate_indices(A, B, 0):
        close(indices, np.zeros(6), rtol=0.0, what="the indices after no years")


@pytest.mark.criterion("edge-cases")
def test_no_members(submission):
    """An empty array of members, and of results."""
    close(submission.warming(np.empty((0, 6)), 5), np.empty(0), rtol=0.0, what="T of nobody")


@pytest.mark.criterion("speed")
def test_speed(duel):
    """Ten thousand points in each sample, two centuries; all twelve indices against the kernel's."""

    def make(rng):
        return rng.random((10_000, 6)), rng.random((10_000, 6)), 200

    def verify(args, got, expected):
        for mine, theirs, what in zip(got, expected, ("S", "ST"), strict=True):
            close(mine, theirs, rtol=0.0, atol=CLIMATE, what=f"{what} of the timed call")

    duel("climate_indices", make, verify)
