"""Hidden checks of "An Asian option".

Estimates are judged against `asian.exact` (1e-12), in units of a standard error: z = (price - exact) / stderr. An honest z is
standard normal, up to the skewness of the payoff. What may be claimed is bounded from both sides: from below, since the z of
many seeds must scatter like standard normals; from above, since npaths plain paths reach sd / sqrt(npaths) anyway: each may claim
up to twice that, their root mean square little more than it (`Claims`). A standard error from 32 batches scatters by 13 %, and that
of one call says little. Antithetic paths, control variates and the like claim less than plain paths do, and are welcome to it.

False alarms are held below 1e-4 a grading: Z_MAX = 6 serves some 500 estimates at 2e-9 each, `scatter_bound` is used four
times at 1e-5, the correlation of neighbours twice at 6e-7. Errors from few replicates are uncertain themselves, so that z is a
Student's t: of 8 replicates (randomised Sobol' points, say) one honest grading in three fails, of 16 one or two in a hundred,
of 32 about 1e-3, of 64 below 1e-4. The handout asks for 32 at least. Of 32 batches of plain paths, by the law of chi-squared, a claim
is twice the plain one with probability 1e-12; of several together the bounds below lie more than five deviations out.
"""

import math
import time

import numpy as np
import pytest

from autograder.judge.compare import close, require
from reference import asian

Z_MAX = 6.0
NEW_SEED = 2**62  # exclusive bound of drawn seeds
LAST_SEED = 2**63 - 1  # that the handout promises


def scatter_bound(count):
    """Return what the sum of count squared z exceeds with probability 1e-5, and 5 % more.

    The quantile of chi-squared by Wilson and Hilferty (1931), 4.265 deviations out. The 5 % pay for skewed payoffs: the
    variance of a studentised mean of n samples with skewness g is 1 + (2 + 7 g²/4) / n; n = 5000 and g = 10 add 3.5 %.
    """
    spread = 2.0 / (9.0 * count)
    return 1.05 * count * (1.0 - spread + 4.265 * math.sqrt(spread)) ** 3


def contract(rng):
    """Draw S0, K, r, sigma, T of an option that is neither hopeless nor certain."""
    S0 = rng.uniform(20.0, 200.0)
    sigma, T = rng.uniform(0.15, 0.4), rng.uniform(0.5, 2.0)
    K = S0 * math.exp(rng.uniform(-0.6, 0.6) * sigma * math.sqrt(T))
    return S0, K, rng.uniform(0.01, 0.10), sigma, T


def seed_from(rng):
    """Draw a seed."""
    return int(rng.integers(NEW_SEED))


class Claims:
    """Standard errors of several calls, as shares of what as many plain paths give."""

    def __init__(self):
        self.shares = []

    def add(self, stderr, npaths, sd):
        """Count one; none may be more than twice as large."""
        self.shares.append(stderr * math.sqrt(npaths) / sd)
        require(self.shares[-1] <= 2.0, "a standard error is more than twice what npaths plain paths give")

    def plain(self, room):
        """All together may be larger by that share: estimates of an error scatter, their mean square does not."""
        together = math.sqrt(np.mean(np.square(self.shares)))
        require(together <= 1.0 + room, f"standard errors are {together:.2f} times what npaths plain paths give")


def z_score(answer, S0, exact, npaths, sd, claims):
    """Return z of one estimate; its claim is counted."""
    price, stderr = answer
    require(
        math.isfinite(price) and 0.0 <= stderr < math.inf, "price and standard error have to be finite, not negative"
    )
    claims.add(stderr, npaths, sd)
    return (price - exact) / claimed(stderr, S0)


def claimed(stderr, S0):
    """Return the claimed error and that of single precision: a control variate may leave nothing else."""
    return math.hypot(stderr, 1e-6 * S0)


@pytest.mark.criterion("price")
@pytest.mark.parametrize("m", [1, 2, 3, 7, 12, 30, 52])
def test_random_contracts(submission, rng, m):
    """Fresh contracts, every number of threads, path counts that nothing divides."""
    claims = Claims()
    for p in (1, 2, 3, 4):
        terms, npaths = (*contract(rng), m), int(rng.integers(15_000, 25_000))
        exact, sd = asian.exact(*terms)
        z = z_score(submission.asian_call(*terms, npaths, seed_from(rng), p), terms[0], exact, npaths, sd, claims)
        require(abs(z) <= Z_MAX, f"a price is {abs(z):.1f} standard errors from the exact one (m = {m}, p = {p})")
    claims.plain(0.35)


@pytest.mark.criterion("price")
def test_stored_contracts(submission, rng):
    """High volatility, high interest, little volatility, a far strike: prices stored with ten digits."""
    claims = Claims()
    for terms, (exact, sd) in asian.PRICES.items():
        npaths = 50_000
        z = z_score(submission.asian_call(*terms, npaths, seed_from(rng), 2), terms[0], exact, npaths, sd, claims)
        require(abs(z) <= Z_MAX, f"a price is {abs(z):.1f} standard errors from the exact one")
    claims.plain(0.5)


@pytest.mark.criterion("price")
def test_an_arithmetic_mean_is_worth_more_than_a_geometric_one(submission, rng):
    """The closed form for the geometric mean lies below, visibly so at high volatility."""
    terms = (100.0, 100.0, 0.03, 0.7, 2.0, 24)
    price, stderr = submission.asian_call(*terms, 40_000, seed_from(rng), 2)
    require(price > asian.geometric_call(*terms) + 2.0 * stderr, "the price is that of a geometric mean, or lower")


@pytest.mark.criterion("price")
def test_the_tails_of_the_normals_are_there(submission, rng):
    """Two dates and a strike three deviations away: one path in a thousand pays, and normals cut short do not."""
    S0, _, r, sigma, T = contract(rng)
    npaths, sd_log = 10**6, sigma * math.sqrt(T * 5.0 / 8.0)  # of the geometric mean of two dates
    terms = (S0, S0 * math.exp(0.75 * (r - 0.5 * sigma**2) * T + 3.0 * sd_log), r, sigma, T, 2)
    (exact, sd), claims = asian.exact(*terms), Claims()
    answers = [submission.asian_call(*terms, npaths, seed_from(rng), 2) for _ in range(8)]
    z = [z_score(answer, S0, exact, npaths, sd, claims) for answer in answers]
    claims.plain(0.3)
    require(
        abs(sum(z)) / math.sqrt(8.0) <= Z_MAX, "prices far out of the money are off: look at the tails of your normals"
    )


@pytest.mark.criterion("price")
def test_many_seeds_have_no_bias(submission, rng):
    """The mean z of a hundred estimates is zero: no date too many, no step error, no cut tail."""
    terms, npaths = (*contract(rng), 4), 20_000
    (exact, sd), claims = asian.exact(*terms), Claims()
    answers = [submission.asian_call(*terms, npaths, seed_from(rng), 2) for _ in range(100)]
    z = [z_score(answer, terms[0], exact, npaths, sd, claims) for answer in answers]
    claims.plain(0.3)
    # Skewness shifts the mean z by g / (2 sqrt(npaths)), at most 0.02 a seed, 0.2 of the sum's deviation.
    require(abs(sum(z)) / 10.0 <= Z_MAX, "the mean over a hundred seeds is off: prices are biased")


@pytest.mark.criterion("exact-cases")
@pytest.mark.parametrize("m", [1, 5, 52])
def test_certain_payoffs_have_no_error(submission, rng, m):
    """σ = 0, and T = 0: every path is the same; single precision is accurate enough."""
    S0, r, T = rng.uniform(50.0, 150.0), rng.uniform(0.0, 0.1), rng.uniform(0.5, 2.0)
    for sigma, years in ((0.0, T), (0.3, 0.0), (0.0, 0.0)):
        mean = S0 * sum(math.exp(r * years * j / m) for j in range(1, m + 1)) / m
        for K in (0.5 * S0, 2.0 * S0):
            price, stderr = submission.asian_call(S0, K, r, sigma, years, m, 1001, seed_from(rng), 2)
            expected = math.exp(-r * years) * max(mean - K, 0.0)
            close(
                price, expected, rtol=3e-5, atol=1e-9 * S0, what="a certain price"
            )  # 52 roundings of 6e-8, × 10 for K
            close(stderr, 0.0, rtol=0.0, atol=1e-5 * S0, what="the standard error of a certain price")


@pytest.mark.criterion("exact-cases")
def test_a_strike_of_zero_buys_the_mean(submission, rng):
    """With K = 0 the option pays the mean, whose value today is that of its forwards."""
    claims = Claims()
    for m in (1, 4, 40):
        S0, _, r, sigma, T = contract(rng)
        npaths = 20_000
        exact, sd = asian.exact(S0, 0.0, r, sigma, T, m)
        price, stderr = submission.asian_call(S0, 0.0, r, sigma, T, m, npaths, seed_from(rng), 2)
        close(
            exact, S0 / m * sum(math.exp(-r * T * (1 - j / m)) for j in range(1, m + 1)), rtol=1e-9, what="our own sum"
        )
        claims.add(stderr, npaths, sd)
        # A control variate may leave no error at all but rounding.
        close(price, exact, rtol=0.0, atol=Z_MAX * stderr + 1e-6 * S0, what="the price for K = 0")
    claims.plain(0.45)


@pytest.mark.criterion("exact-cases")
def test_one_date_is_black_and_scholes(submission, rng):
    """With m = 1 the mean is the last price; there the geometric form is exact, too."""
    claims = Claims()
    for _ in range(4):
        terms = (*contract(rng), 1)
        exact, sd = asian.exact(*terms)
        close(exact, asian.geometric_call(*terms), rtol=1e-9, what="our own closed form")
        price, stderr = submission.asian_call(*terms, 30_000, seed_from(rng), 2)
        claims.add(stderr, 30_000, sd)
        close(price, exact, rtol=0.0, atol=Z_MAX * stderr + 1e-6 * terms[0], what="the price for one date")
    claims.plain(0.45)


@pytest.mark.criterion("exact-cases")
def test_a_strike_out_of_reach_is_worth_nothing(submission, rng):
    """Ten times today's price at 10 % volatility, 23 deviations away: no path pays, and nothing is divided by zero."""
    price, stderr = submission.asian_call(100.0, 1000.0, 0.02, 0.1, 1.0, 12, 5000, seed_from(rng), 2)
    close(price, 0.0, rtol=0.0, atol=1e-9, what="the price")
    close(stderr, 0.0, rtol=0.0, atol=1e-9, what="the standard error")


@pytest.mark.criterion("exact-cases")
@pytest.mark.parametrize(("npaths", "p"), [(101, 4), (257, 3), (1000, 7)])
def test_few_paths_for_many_threads(submission, rng, npaths, p):
    """Hundreds of paths still give a price and an error of the right size."""
    terms = (100.0, 95.0, 0.05, 0.2, 1.0, 6)
    exact, sd = asian.exact(*terms)
    price, stderr = submission.asian_call(*terms, npaths, seed_from(rng), p)
    # 101 plain paths estimate their own deviation to 10 %; a crude bound avoids the tails of a t distribution.
    require(
        0.0 < stderr <= 2.0 * sd / math.sqrt(npaths), "the standard error of a few hundred paths has the wrong size"
    )
    close(price, exact, rtol=0.0, atol=8.0 * sd / math.sqrt(npaths), what="the price from a few hundred paths")


@pytest.mark.criterion("honest-error")
@pytest.mark.parametrize(("m", "p", "count"), [(6, 2, 200), (3, 4, 100)])
def test_prices_scatter_as_the_standard_error_says(submission, rng, m, p, count):
    """The squared z of many seeds sum to their number, not to more, and large interest shows a forgotten discount."""
    terms, npaths = (100.0, rng.uniform(130.0, 150.0), 0.7, rng.uniform(0.25, 0.35), 1.0, m), 5000
    (exact, sd), claims = asian.exact(*terms), Claims()
    answers = [submission.asian_call(*terms, npaths, seed_from(rng), p) for _ in range(count)]
    z = [z_score(answer, terms[0], exact, npaths, sd, claims) for answer in answers]
    claims.plain(0.25)
    require(
        sum(value**2 for value in z) <= scatter_bound(count),
        f"over {count} seeds, prices scatter {math.sqrt(np.mean(np.square(z))):.2f} times as much as the standard error claims",
    )


@pytest.mark.criterion("streams")
@pytest.mark.parametrize("p", [1, 2, 3])
def test_every_seed_replays_for_every_number_of_threads(submission, rng, p):
    """Same seed, same p: same answer, to rounding; other seed: another answer; up to the last seed that there is."""
    terms = (*contract(rng), 9)
    for seed in (seed_from(rng), LAST_SEED - 1):
        first = submission.asian_call(*terms, 3000, seed, p)
        again = submission.asian_call(*terms, 3000, seed, p)
        close(again, first, rtol=1e-5, what="price and standard error, asked a second time with the same seed")
        require(
            submission.asian_call(*terms, 3000, seed + 1, p)[0] != first[0], "another seed has to give another estimate"
        )


@pytest.mark.criterion("streams")
@pytest.mark.parametrize("p", [2, 4])
def test_neighbouring_seeds_are_independent(submission, rng, p):
    """Prices of seeds s, s + 1, s + 2, … are uncorrelated; seed + thread as a stream correlates them by (p - 1)/p."""
    terms, seed, count = (*contract(rng), 3), seed_from(rng) // 2, 200
    answers = np.array([submission.asian_call(*terms, 1000, seed + k, p) for k in range(count)])
    prices = answers[:, 0]
    # With shared streams the at lag 1 is 1/2 (p = 2) or 3/4. Its deviation is 1/sqrt(count) = 0.07.
    require(
        abs(np.corrcoef(prices[1:], prices[:-1])[0, 1]) <= 5.0 / math.sqrt(count),
        "neighbouring seeds share random numbers",
    )


@pytest.mark.criterion("speed")
def test_time_times_variance(duel, submission, rng):
    """A million paths of 52 dates; the claimed variance is the weight, and the claim is put to the test.

    Only a claim below plain Monte Carlo's can gain anything, so only that has to be proven: by the z of all timed rounds,
    and of more calls of the very same kind before and after. Timed rounds run in processes of their own, so their claims
    must also resemble the others'. What is left to a liar is a factor of 2 in variance, less than a
    tier: claims of 0.7 in most calls, of nearly 2 in the others, which the sign test does not mind, scatter as much as is allowed.
    """
    npaths, z, gains, claims = 2**20, [], [], Claims()

    def make(rng):
        return (*contract(rng), 52, npaths, seed_from(rng), 2)

    def judge(args, got):
        exact, sd = asian.exact(*args[:6])
        z.append(z_score(got, args[0], exact, npaths, sd, claims))
        gains.append(sd / math.sqrt(npaths) / claimed(got[1], args[0]))
        require(abs(z[-1]) <= Z_MAX, f"a price is {abs(z[-1]):.1f} standard errors from the exact one")

    def more_calls(count, seconds):
        end = time.monotonic() + seconds
        while count and time.monotonic() < end:
            args = make(rng)
            judge(args, submission.asian_call(*args))
            count -= 1

    def consistent(z):
        scatter = math.sqrt(np.mean(np.square(z)))
        require(
            sum(value**2 for value in z) <= scatter_bound(len(z)),
            f"in {len(z)} calls, prices scattered {scatter:.2f} times as much as the standard error claims",
        )

    more_calls(int(rng.integers(10, 25)), seconds=rng.uniform(4.0, 8.0))
    untimed = len(z)
    duel(
        "asian_call",
        make,
        lambda args, got, expected: judge(args, got),
        weigh=lambda args, got: claimed(got[1], args[0]) ** 2,
    )
    consistent(z[untimed:])
    claims.plain(0.2)
    alone, timed = np.log(gains[:untimed]), np.log(gains[untimed:])
    # Student's t for two samples, pooled: 6 deviations are 1e-6 at 26 degrees of freedom, the fewest there can be.
    pooled = (alone.var() * len(alone) + timed.var() * len(timed)) / (len(z) - 2)
    spread = math.sqrt(pooled * (1.0 / len(alone) + 1.0 / len(timed)))
    require(
        timed.mean() - alone.mean() <= 0.03 + 6.0 * spread,
        f"timed calls claim {math.exp(timed.mean() - alone.mean()):.2f} times the precision of the same calls untimed",
    )
    if np.median(gains[untimed:]) > 1.03:
        more_calls(100, seconds=8.0)
    consistent(z)
