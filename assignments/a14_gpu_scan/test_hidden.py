"""Hidden checks of "A scan on the GPU".

Errors are judged in units of `scan.room`: the root of the sum of squares so far, which is √k for k numbers of size 1, plus the
largest |y| so far. RELATIVE = 1e-5 of it is 1e-5 √n, and more where the numbers have a sign in common. Single precision rounds
by u = 6e-8 at most, 3.5e-8 rms, of a sum of neighbours.
- One-sided numbers: if no element passes through more than D additions, y errs by D u |y| at most. RELATIVE allows D = 167; tiles
  of 256 and a chain of the 36 that 9001 numbers need have D < 60.
- Random signs: on each of D levels, the squares of the sums of neighbours add up to n, so y errs by 3.5e-8 √(D n) rms; for D = 60 that
  is 1/35 of what is allowed. Even one after the other (3.5e-8 n / √2), 9001 numbers stay below a quarter.
Half precision errs by 5e-4 in every number. Whole numbers below 2^24 are exact in every order, and so are their checks.

Sizes are small (9001 numbers are three tiles of 4096), because without a GPU a simulator runs every thread on the CPU.

The timed array has 2^26 uniform numbers of rms 1. At 4096 places it is compared with sums in double precision. A chain over its tiles
of 1024 (65536 additions to a running sum of at most some 4 √n) errs by 3.5e-8 · 256 · √n = 9e-6 √n rms; LONG = 5 allows
5e-5 (√n + largest |y|), five times that at least. In between, every number must be seen where it enters: y[k] - y[k-1] may differ from
x[k] by a quarter. Two neighbours' sums err by some units in the last place, 2^-8 for sums below 65536 (8 √n), and by what
the sums before two tiles differ in, of the same size.
"""

import numpy as np
import pytest

from autograder.judge.compare import close, require, same
from reference import scan

RELATIVE = 1e-5  # see above
LONG = 5.0


def agree(got, x, what="y", times=1.0):
    """Compare with the oracle, element by element, in units of what has been summed so far."""
    expected = scan.scan(x)
    unit = scan.room(x, expected)
    unit[unit == 0.0] = 1.0  # zeros only, so far
    close(got / unit, expected / unit, rtol=0.0, atol=times * RELATIVE, what=f"{what}, in units of the sums so far,")


def normals(rng, n):
    """Draw n standard normal numbers in single precision."""
    return rng.standard_normal(n, dtype=np.float32)


@pytest.mark.criterion("formula")
@pytest.mark.parametrize("n", [5, 100, 257, 1000, 2049, 3000, 9001])
def test_random_numbers_agree_with_the_oracle(submission, rng, n):
    """One tile, several, and one that is not full."""
    x = normals(rng, n)
    agree(submission.scan(x), x)


@pytest.mark.criterion("formula")
@pytest.mark.parametrize("n", [64, 777, 2048, 4097])
def test_whole_numbers_are_exact(submission, rng, n):
    """All sums stay below 2^24, so that every order of additions gives the same bits: nothing is dropped or scaled."""
    x = rng.integers(-2000, 2001, n).astype(np.float32)
    same(submission.scan(x), scan.scan(x), what="y of whole numbers")


@pytest.mark.criterion("formula")
def test_a_single_one_is_seen_by_all_that_follow(submission, rng):
    """A step function: where the one is, in every part of a tile, there the ones begin."""
    for place in (0, int(rng.integers(1, 31)), int(rng.integers(33, 900)), 1024):
        x = np.zeros(1500, np.float32)
        x[place] = 1.0
        same(submission.scan(x), np.arange(1500) >= place, what="y of a single one")


@pytest.mark.criterion("offset-and-scaled")
@pytest.mark.parametrize("offset", [-3.0, 10.0, 4000.0])
def test_numbers_with_an_offset(submission, rng, offset):
    """Sums beyond what half precision can hold, by far."""
    x = normals(rng, 3000) + np.float32(offset)
    agree(submission.scan(x), x, f"y for an offset of {offset:g}")


@pytest.mark.criterion("offset-and-scaled")
@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12, 1e30])
def test_numbers_of_any_scale(submission, rng, scale):
    """Nothing is cut off, nothing overflows."""
    x = normals(rng, 2500) * np.float32(scale)
    agree(submission.scan(x), x, f"y for numbers of size {scale:g}")


@pytest.mark.criterion("offset-and-scaled")
def test_signs_in_turn(submission, rng):
    """Large numbers that cancel, small ones that remain."""
    x = normals(rng, 2000) + np.where(np.arange(2000) % 2, -1000, 1000).astype(np.float32)
    agree(submission.scan(x), x, "y of numbers that cancel")


@pytest.mark.criterion("offset-and-scaled")
def test_what_comes_later_is_not_noticed(submission, rng):
    """From some place on, numbers are a million times larger; the sums before it are as accurate as ever."""
    for place in (3, 600, 1500):
        x = normals(rng, 2100)
        x[place:] *= np.float32(1e6)
        agree(submission.scan(x), x, "y of numbers that grow suddenly")


@pytest.mark.criterion("reproducible")
@pytest.mark.parametrize("n", [700, 9001])
def test_the_same_array_gives_the_same_bits(submission, elsewhere, rng, n):
    """Asked three times, with a shorter and another array in between, and of another process: no state survives, none is needed."""
    x = normals(rng, n) * np.float32(100.0)
    first = submission.scan(x)
    agree(first, x)
    for m in (n // 3, n):
        other = normals(rng, m)
        agree(submission.scan(other), other, "y of another array")
        same(submission.scan(x), first, what="y, asked again")
    same(elsewhere.scan(x), first, what="y, asked of another process that runs the same program")


@pytest.mark.criterion("edge-cases")
@pytest.mark.parametrize("n", [0, 1, 2, 31, 32, 33, 128, 255, 257, 511])
def test_small_arrays(submission, rng, n):
    """Nothing at all, one number, and around every power of two."""
    x = rng.integers(-9, 10, n).astype(np.float32)
    same(submission.scan(x), scan.scan(x), what=f"y for n = {n}")


@pytest.mark.criterion("edge-cases")
@pytest.mark.parametrize("n", [1023, 1024, 1025, 2047, 2048, 4096])
def test_around_a_tile(submission, rng, n):
    """One less and one more than a block of threads may have."""
    x = normals(rng, n)
    agree(submission.scan(x), x, f"y for n = {n}")


@pytest.mark.criterion("edge-cases")
def test_zeros_stay_zeros(submission):
    """Nothing comes of nothing."""
    same(submission.scan(np.zeros(1100, np.float32)), np.zeros(1100), what="y of zeros")


@pytest.mark.criterion("speed")
def test_speed(duel, submission, elsewhere, rng):
    """An array of 2^26 numbers, fresh in every round; afterwards, the same one several times, which must give the same bits.

    That is where a library's scan fails: it adds up whatever its neighbours have ready. At small sizes there is nothing to wait for.
    One that remembers what it has answered is asked in another process.
    """
    scale = np.float32(10.0 ** rng.uniform(-2.0, 2.0))

    def make(rng):
        x = rng.random(2**26, dtype=np.float32)
        x -= np.float32(0.5 + rng.uniform(-1e-4, 1e-4))
        x *= scale * np.float32(12.0**0.5)  # rms 1, times the scale
        return (x,)

    def verify(args, got, expected):
        (x,) = args
        ends = np.cumsum(np.add.reduce(x.reshape(4096, -1), axis=1, dtype=np.float64))
        unit = scale * np.sqrt(np.arange(1, 4097) * (len(x) / 4096)) + np.maximum.accumulate(np.abs(ends))
        found = got[len(x) // 4096 - 1 :: len(x) // 4096]
        close(found / unit, ends / unit, rtol=0.0, atol=LONG * RELATIVE, what="y of the timed call, in units of the sums so far,")
        steps = np.diff(got)
        steps -= x[1:]
        worst = float(np.abs(steps).max()) / float(scale)
        require(worst <= 0.25, f"y[k] - y[k-1] of the timed call differs from x[k] by up to {worst:.3g} of its size")

    duel("scan", make, verify)
    (x,) = make(rng)
    first = submission.scan(x)
    for _ in range(4):
        same(submission.scan(x), first, what="y of a long array, asked again")
        same(elsewhere.scan(x), first, what="y of a long array, asked of another process that runs the same program")
