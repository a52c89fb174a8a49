"""Hidden checks. In chaos two correct programs part company, so nothing there is compared sample by sample."""

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


def check_first_iterates(got, r, x0, warmup):
    """Compares samples of one orbit as long as the rounding-error bound of any program stays below 1e-6."""
    x, bound = (values[warmup:] for values in bifurcation.iterates(r, warmup + len(got), x0))
    known = bound < 1e-6
    close(got[known], x[known], rtol=0, atol=1e-5, what=f"samples at r = {r!r}, x0 = {x0}, warm-up {warmup}")
    # Measured: correct programs use a tenth of the bound.
    close((got - x)[known] / bound[known], np.zeros(known.sum()), rtol=0, atol=1.0, what=f"error / bound at r = {r!r}")


def check_orbits(x, r):
    """Each sample follows from the one before, inside the band [f(f(1/2)), f(1/2)] that no orbit leaves (r > 2)."""
    close(x[:, 1:], r[:, None] * x[:, :-1] * (1 - x[:, :-1]), rtol=0, atol=1e-6, what="next sample")
    close(bifurcation.residual(x, r), np.zeros((len(r), 149)), rtol=0, atol=RESIDUAL, what="one-step residual")
    inside = np.clip(x, (r * r * (4 - r) / 16)[:, None], (r / 4)[:, None])
    close(x, inside, rtol=0, atol=RESIDUAL, what="sample inside its band")


def slow_rates(rng, transients):
    """Growth rates where an orbit tells how many steps it has made: near r = 3, at a tangency, with long transients."""
    long = np.array([r for r, _ in bifurcation.LONG_TRANSIENTS])
    chosen = rng.choice(long, transients, replace=False) + rng.uniform(-1, 1, transients) * 1e-12
    tangent = bifurcation.TANGENT + rng.uniform(0, 1, 2) * 1e-14
    return np.concatenate([3 + rng.uniform(-1, 1, 4) * 1e-8, tangent, chosen])


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


@pytest.mark.criterion("first-iterates")
def test_first_rows_of_a_diagram(submission, rng):
    """Without and with a short warm-up, rows start as the formula says, at every growth rate."""
    for warmup in (0, 1, int(rng.integers(2, 13))):
        r = np.concatenate([rng.uniform(0, 4, 60), rng.uniform(3.5, 4, 40), [0.0, 1.0, 3.0, 4.0]])
        for row, rate in zip(submission.diagram(r, warmup), r, strict=True):
            check_first_iterates(row, rate, 0.25, warmup)


@pytest.mark.criterion("first-iterates")
def test_an_attractor_from_any_start(submission, rng):
    """calc_attractor honours x0, warmup and the length of `out`."""
    for _ in range(12):
        k, warmup = int(rng.integers(1, 200)), int(rng.integers(0, 12))
        r, x0 = float(rng.uniform(0, 4)), float(rng.uniform(0, 1))
        check_first_iterates(submission.calc_attractor(np.full(k, np.nan), r, x0, warmup), r, x0, warmup)


@pytest.mark.criterion("settled")
def test_settled_rates_agree_with_the_oracle(submission, rng):
    """Below r = 3.5 rounding errors die out, and every sample is determined."""
    r = np.concatenate([rng.uniform(0, 3.5, 120), rng.uniform(2.9, 3.5, 80), [0.0, 1.0, 3.0]])
    close(submission.diagram(r), bifurcation.diagram(r), rtol=0, atol=SETTLED, what="diagram below r = 3.5")


@pytest.mark.criterion("settled")
def test_cycles_known_in_closed_form(submission, rng):
    """The fixed point and the two-cycle have formulas."""
    r = rng.uniform(1.2, 2.8, 20)
    close(submission.diagram(r), np.repeat(1 - 1 / r[:, None], 150, axis=1), rtol=0, atol=SETTLED, what="fixed point")
    r = rng.uniform(3.2, 3.4, 20)
    half = np.sqrt((r + 1) * (r - 3))
    low, high = (r + 1 - half) / (2 * r), (r + 1 + half) / (2 * r)
    pairs = np.sort(submission.diagram(r, 2000).reshape(20, 75, 2), axis=2)
    expected = np.stack([low, high], axis=1)[:, None, :].repeat(75, axis=1)
    close(pairs, expected, rtol=0, atol=SETTLED, what="two-cycle")


@pytest.mark.criterion("chaos")
def test_every_sample_follows_from_the_one_before(submission, rng):
    """Residuals and bands hold over the whole range, r = 4 included."""
    r = np.concatenate([rng.uniform(2.2, 4, 200), rng.uniform(3.57, 4, 200), [3.0, 4.0]])
    check_orbits(submission.diagram(r, int(rng.integers(50, 1000))), r)


@pytest.mark.criterion("chaos")
def test_an_attractor_follows_too(submission, rng):
    """calc_attractor obeys the map as the diagram does."""
    for _ in range(5):
        r = rng.uniform(3.57, 4, 1)
        check_orbits(submission.calc_attractor(np.full(150, np.nan), float(r[0]))[None], r)


@pytest.mark.criterion("chaos")
def test_orbits_visit_their_band_as_they_should(submission, rng):
    """Mean and mean square over 400 chaotic rows are those of the invariant measure, as any orbit samples it."""
    r = np.sort(rng.uniform(3.6, 4, 400))
    warmup = int(rng.integers(400, 800))
    got, expected = submission.diagram(r, warmup), bifurcation.diagram(r, warmup)
    # Measured over 3000 pairs of independent orbits: standard deviations 6.5e-4 and 4.9e-4; nine of them.
    close(got.mean(), expected.mean(), rtol=0, atol=6e-3, what="mean")
    close((got**2).mean(), (expected**2).mean(), rtol=0, atol=4.5e-3, what="mean square")


@pytest.mark.criterion("full-warm-up")
def test_a_long_warm_up_is_done_in_full(submission, reference, rng):
    """Columns that approach their attractor slowly show how many steps were made, and how exactly."""
    r = rng.permutation(slow_rates(rng, 8))
    warmup = 400_000 + int(rng.integers(0, 1000))
    got = submission.diagram(r, warmup)
    check_slow_columns(got, r, reference.diagram(r, warmup))
    check_orbits(got, r)


@pytest.mark.criterion("full-warm-up")
def test_an_attractor_is_warmed_up_in_full(submission, rng):
    """calc_attractor makes every step too, as the approach at r = 3 shows."""
    r, warmup = 3 + float(rng.uniform(-1, 1)) * 1e-8, 400_000 + int(rng.integers(0, 1000))
    expected = np.empty(20)
    bifurcation.calc_attractor(expected, r, warmup=warmup)
    close(
        submission.calc_attractor(np.full(20, np.nan), r, warmup=warmup), expected, rtol=0, atol=SLOW, what="near r = 3"
    )


@pytest.mark.criterion("calling")
def test_out_may_be_strided(submission, rng):
    """`out` need not be contiguous."""
    r = float(rng.uniform(1.5, 3.4))
    expected = np.empty(37)
    bifurcation.calc_attractor(expected, r)
    for out in (np.full(111, np.nan)[::3], np.full((37, 5), np.nan)[:, 2]):
        close(submission.calc_attractor(out, r), expected, rtol=0, atol=SETTLED, what="strided out")


@pytest.mark.criterion("calling")
def test_one_sample(submission, rng):
    """A single sample is the value after exactly the warm-up."""
    r = float(rng.uniform(1.5, 3.4))
    expected = np.empty(1)
    bifurcation.calc_attractor(expected, r)
    close(submission.calc_attractor(np.full(1, np.nan), r), expected, rtol=0, atol=SETTLED, what="the only sample")


@pytest.mark.criterion("calling")
def test_any_number_of_rates_in_any_order(submission, rng):
    """No rate, one, a few, equal ones, unsorted and strided ones."""
    for m in (0, 1, 7, 8, 9, int(rng.integers(100, 300))):
        r = rng.uniform(0, 3.5, m)
        close(submission.diagram(r, 30), bifurcation.diagram(r, 30), rtol=0, atol=SETTLED, what=f"{m} rates")
    r = rng.uniform(0, 3.5, 63)[::3]
    close(submission.diagram(r), bifurcation.diagram(r), rtol=0, atol=SETTLED, what="strided rates")
    r = np.full(5, rng.uniform(1.5, 3.5))
    close(submission.diagram(r), bifurcation.diagram(r), rtol=0, atol=SETTLED, what="equal rates")


@pytest.mark.criterion("speed")
def test_speed(duel):
    """A thousand chaotic columns with a long warm-up, and a few slow ones that show that it was done."""

    def make(rng):
        m = 1101 + int(rng.integers(0, 40))
        r = np.sort(np.concatenate([rng.uniform(3.6, 4, m - 14), slow_rates(rng, 8)]))
        return r, 1_400_000 + int(rng.integers(0, 1000))

    def verify(args, got, expected):
        r = args[0]
        check_orbits(got, r)
        check_slow_columns(got, r, expected)
        # Measured over 1000 pairs: standard deviation 4.2e-4; ten of them.
        close(got.mean(), expected.mean(), rtol=0, atol=4.2e-3, what="mean")

    duel("diagram", make, verify)
