"""Hidden checks. Dealing columns differently may change the rounding, so chaos is never compared sample by sample."""

import numpy as np
import pytest

from autograder.judge.compare import close
from reference import bifurcation

EPS = np.finfo(np.float64).eps
# Ten ways of writing one step, each strict, contracted and with fast-math: at most 3.9 eps. In float32: 1e8 eps.
RESIDUAL = 16 * EPS
# Below r = 3.5 (and at r = 3) those thirty programs agreed within 5e-15; a wrong window is off by more than 1e-6.
SETTLED = 1e-9
# At |r - 3| < 1e-8 after n >= 4e5 steps they agree within 1e-13; two steps more or less change a sample by 1e-4 / n.
SLOW = 1e-11


def check_first_iterates(x, r, warmup):
    """Compares every row as long as the rounding-error bound of any program stays below 1e-6."""
    for row, rate in zip(x, r, strict=True):
        expected, bound = (values[warmup:] for values in bifurcation.iterates(rate, warmup + 150))
        known = bound < 1e-6
        close(row[known], expected[known], rtol=0, atol=1e-5, what=f"samples at r = {rate!r}, warm-up {warmup}")
        close((row - expected)[known] / bound[known], np.zeros(known.sum()), rtol=0, atol=1.0, what="error / bound")


def check_orbits(x, r):
    """Each sample follows from the one before, inside the band [f(f(1/2)), f(1/2)] that no orbit leaves (r > 2)."""
    close(x[:, 1:], r[:, None] * x[:, :-1] * (1 - x[:, :-1]), rtol=0, atol=1e-6, what="next sample")
    close(bifurcation.residual(x, r), np.zeros((len(r), 149)), rtol=0, atol=RESIDUAL, what="one-step residual")
    inside = np.clip(x, (r * r * (4 - r) / 16)[:, None], (r / 4)[:, None])
    close(x, inside, rtol=0, atol=RESIDUAL, what="sample inside its band")


def slow_rates(rng, near, transients):
    """Growth rates where an orbit tells how many steps it has made: near r = 3, at a tangency, with long transients."""
    long = np.array([r for r, _ in bifurcation.LONG_TRANSIENTS])
    chosen = rng.choice(long, transients, replace=False) + rng.uniform(-1, 1, transients) * 1e-12
    tangent = bifurcation.TANGENT + rng.uniform(0, 1, 2) * 1e-14
    return np.concatenate([3 + rng.uniform(-1, 1, near) * 1e-8, tangent, chosen])


def check_slow_columns(x, r, expected):
    """The columns of `slow_rates`, wherever they stand, against a program that makes every step."""
    near = np.abs(r - 3) < 1e-7
    close(x[near], expected[near], rtol=0, atol=SLOW, what="samples near r = 3")
    tangent = np.abs(r - bifurcation.TANGENT) < 1e-12
    mine, theirs = (np.abs(rows[tangent, 3:] - rows[tangent, :-3]).max(axis=1) for rows in (x, expected))
    # The creep along the channel falls as 1/n²; entering it 5 % of the warm-up later changes it by 10 %.
    close(np.log2(np.maximum(mine, 1e-300) / theirs), np.zeros(len(mine)), rtol=0, atol=1.0, what="log2 of the creep")
    for rate, period in bifurcation.LONG_TRANSIENTS:
        for row in x[np.abs(r - rate) < 1e-11]:
            close(row[period:], row[:-period], rtol=0, atol=1e-9, what=f"cycle of {period} at r = {rate!r}")


def check_workers(function, rng):
    """One, two, three and five workers, rates in any order: first iterates, settled rows, residuals, mean."""
    for p in (1, 2, 3, 5):
        r = rng.permutation(np.concatenate([rng.uniform(0, 4, 60), rng.uniform(3.5, 4, 37), [0.0, 1.0, 3.0, 4.0]]))
        warmup = int(rng.integers(0, 13))
        check_first_iterates(function(r, p, warmup), r, warmup)
        r = rng.uniform(2.2, 4, 151)
        x = function(r, p)
        check_orbits(x, r)
        settled = r < 3.5
        close(x[settled], bifurcation.diagram(r[settled]), rtol=0, atol=SETTLED, what=f"settled rows, p = {p}")
    r = rng.uniform(3.6, 4, 400)
    # Measured over 3000 pairs of independent orbits: standard deviation 6.5e-4; nine of them.
    close(function(r, 2).mean(), bifurcation.diagram(r).mean(), rtol=0, atol=6e-3, what="mean over chaotic rows")


def check_sizes(function, rng):
    """No column, one, few, primes; more workers than columns; strided rates."""
    for m, p in ((0, 1), (0, 2), (1, 1), (1, 3), (2, 3), (7, 2), (13, 3), (127, 2), (131, 3), (257, 2), (5, 8)):
        r = rng.uniform(0, 3.5, m)
        close(function(r, p, 30), bifurcation.diagram(r, 30), rtol=0, atol=SETTLED, what=f"{m} columns, {p} workers")
    r = rng.uniform(0, 3.5, 303)[::3]
    close(function(r, 2, 30), bifurcation.diagram(r, 30), rtol=0, atol=SETTLED, what="strided rates")


def check_long_run(function, reference, rng, p):
    """Long enough (several ms a worker) for workers to overlap; slow columns stand everywhere."""
    r = rng.permutation(np.concatenate([rng.uniform(3.6, 4, 270), slow_rates(rng, 32, 6)]))
    warmup = 800_000 + int(rng.integers(0, 1000))
    x = function(r, p, warmup)
    check_slow_columns(x, r, reference.diagram_threads(r, 1, warmup))
    check_orbits(x, r)


@pytest.mark.criterion("threads")
def test_threads_give_the_diagram(submission, rng):
    """diagram_threads is right for any number of threads."""
    check_workers(submission.diagram_threads, rng)


@pytest.mark.criterion("processes")
def test_processes_give_the_diagram(submission, rng):
    """diagram_procs is right for any number of processes."""
    check_workers(submission.diagram_procs, rng)


@pytest.mark.criterion("long-runs")
@pytest.mark.parametrize("p", [2, 3, 2])
def test_overlapping_threads(submission, reference, rng, p):
    """Threads that overlap for long share nothing that they write."""
    check_long_run(submission.diagram_threads, reference, rng, p)


@pytest.mark.criterion("long-runs")
@pytest.mark.parametrize("p", [2, 3])
def test_overlapping_processes(submission, reference, rng, p):
    """Processes that overlap for long are all waited for, and none is cut short."""
    check_long_run(submission.diagram_procs, reference, rng, p)


@pytest.mark.criterion("sizes")
def test_threads_take_any_size(submission, rng):
    """diagram_threads takes any number of columns."""
    check_sizes(submission.diagram_threads, rng)


@pytest.mark.criterion("sizes")
def test_processes_take_any_size(submission, rng):
    """diagram_procs takes any number of columns."""
    check_sizes(submission.diagram_procs, rng)


def make(rng):
    """About two thousand chaotic columns, with a few slow ones that show that the warm-up was done."""
    m = 2003 + int(rng.integers(0, 40))
    r = np.sort(np.concatenate([rng.uniform(3.6, 4, m - 14), slow_rates(rng, 4, 8)]))
    return r, 1_400_000 + int(rng.integers(0, 1000))


def make_longer(rng):
    """The same, 2.3 times as long: a fork costs 5 to 15 ms, which should not decide."""
    r, warmup = make(rng)
    return r, 2 * warmup + 400_000


def verify(args, got, expected):
    """Every timed diagram is checked."""
    r = args[0]
    check_orbits(got, r)
    check_slow_columns(got, r, expected)
    # Measured over 1000 pairs of 1000 rows: standard deviation 4.2e-4; ten of them.
    close(got.mean(), expected.mean(), rtol=0, atol=4.2e-3, what="mean")


@pytest.mark.criterion("speed-threads")
def test_threads_scale(scaling):
    """Two threads against one thread of the reference."""
    scaling("diagram_threads", make, verify, workers="p")


@pytest.mark.criterion("speed-procs")
def test_processes_scale(scaling):
    """Two processes against one process of the reference."""
    scaling("diagram_procs", make_longer, verify, workers="p")
