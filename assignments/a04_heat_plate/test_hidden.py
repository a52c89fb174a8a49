"""Hidden checks of "Heat in a plate".

One tolerance serves all: a step rounds at most 7 times a point and r ≤ 1/4 keeps errors from growing, so n steps
differ from exact arithmetic by at most 7 n · 1.1e-16 of the largest |T|, and two programs by twice that: 4.7e-13 at
n = 300, for any order of the sum, with or without fused multiply-add, and 2e-13 more for another rounding of r.
Transform methods (all steps at once, in sine space) err by n · 1.1e-16 in the factors and some 1e-15 in the
transforms. Single precision errs by 6e-8.
"""

import numpy as np
import pytest

from autograder.judge.compare import close, same
from reference import heat

RELATIVE = 1e-12  # of the largest |T|; see above


def conditions(rng, r=None):
    """Draw alpha, dx and dt of real materials (10⁻⁷ … 10⁻⁴ m²/s) and grids, with r = alpha dt / dx² as asked."""
    alpha = 10.0 ** rng.uniform(-7.0, -4.0)
    dx = 10.0 ** rng.uniform(-3.0, -1.0)
    r = rng.uniform(0.05, 0.25) if r is None else r
    return alpha, dx, r * dx**2 / alpha


def agree(got, expected, what):
    """Compare two plates, within RELATIVE of the hottest point."""
    close(got, expected, rtol=0.0, atol=RELATIVE * np.abs(expected).max(initial=0.0), what=what)


def rim_of(T):
    """Return the outermost ring, one side after the other."""
    return np.concatenate([T[0], T[-1], T[:, 0], T[:, -1]])


@pytest.mark.criterion("formula")
@pytest.mark.parametrize("shape", [(4, 6), (17, 33), (40, 9), (31, 64), (65, 66)])
def test_random_plates_agree_with_the_oracle(submission, rng, shape):
    """Rough random plates, more rows than columns and fewer, an odd and an even number of steps."""
    T = rng.uniform(-300.0, 400.0, shape)
    for n in (int(rng.integers(1, 10)) * 2, int(rng.integers(1, 20)) * 2 + 1):
        arguments = conditions(rng)
        agree(submission.heat_step_n(T, *arguments, n), heat.heat_step_n(T, *arguments, n), f"T after {n} steps")


@pytest.mark.criterion("formula")
@pytest.mark.parametrize(("ny", "nx"), [(257, 700), (1030, 129), (3, 20000), (9000, 5), (512, 512)])
def test_large_plates_agree_with_the_reference(submission, reference, rng, ny, nx):
    """Sizes at which blocks, tiles and vector remainders show."""
    T = rng.uniform(200.0, 400.0, (ny, nx))
    arguments = (*conditions(rng), int(rng.integers(11, 42)))
    agree(submission.heat_step_n(T, *arguments), reference.heat_step_n(T, *arguments), "T")


@pytest.mark.criterion("formula")
def test_scaling_the_temperatures_scales_the_answer(submission, rng):
    """The equation is linear: a plate of micro-kelvins evolves like one of mega-kelvins, with nothing cut off."""
    T = rng.standard_normal((20, 30))
    arguments = (*conditions(rng), 25)
    expected = heat.heat_step_n(T, *arguments)
    for scale in (1e-150, 1e-6, 1e6, 1e150):
        agree(submission.heat_step_n(scale * T, *arguments), scale * expected, f"T for a plate scaled by {scale:g}")


@pytest.mark.criterion("decaying-mode")
@pytest.mark.parametrize(("ny", "nx"), [(33, 65), (80, 21), (200, 310)])
def test_a_sine_mode_decays_by_its_exact_factor(submission, rng, ny, nx):
    """A mode with q half waves down and p across is multiplied by a known factor in every step."""
    q, p = int(rng.integers(1, 4)), int(rng.integers(4, 8))
    r = rng.uniform(0.05, 0.25)
    n = int(rng.integers(100, 301))
    T = 100.0 * heat.mode(ny, nx, q, p)
    # The starting sines themselves are rounded, so errors are measured against the mode at the start.
    close(
        submission.heat_step_n(T, *conditions(rng, r), n),
        T * heat.mode_factor(ny, nx, q, p, r) ** n,
        rtol=0.0,
        atol=RELATIVE * 100.0,
        what=f"the mode after {n} steps",
    )


@pytest.mark.criterion("decaying-mode")
def test_a_linear_temperature_is_steady(submission, rng):
    """A plate whose temperature is a plane, or x times y, conducts as much in as out and stays."""
    y, x = np.mgrid[0:37, 0:52]
    a, b, c, d = rng.uniform(-1.0, 1.0, 4)
    T = 300.0 + a * x + b * y + 0.02 * c * x * y + 0.02 * d * (x**2 - y**2.0)
    agree(submission.heat_step_n(T, *conditions(rng), 200), T, "a steady plate")


@pytest.mark.criterion("maximum-principle")
@pytest.mark.parametrize("r", [0.25, 0.249, 0.01])
def test_no_new_extremes(submission, rng, r):
    """Up to r = 1/4 the hottest and the coldest point are never exceeded, on the roughest plate there is."""
    T = np.where((np.indices((45, 58)).sum(axis=0) % 2) == 0, 200.0, 400.0) + rng.uniform(-1.0, 1.0, (45, 58))
    got = submission.heat_step_n(T, *conditions(rng, r), 120)
    agree(got, np.clip(got, T.min(), T.max()), "T, clipped to the extremes of the start")


@pytest.mark.criterion("maximum-principle")
def test_the_rim_keeps_its_temperature(submission, rng):
    """The outermost ring is the same after any number of steps, corners included."""
    T = rng.uniform(250.0, 400.0, (23, 31))
    got = submission.heat_step_n(T, *conditions(rng), 50)
    close(rim_of(got), rim_of(T), rtol=1e-13, what="the rim")  # room for methods that add a steady part back


@pytest.mark.criterion("maximum-principle")
def test_the_stability_limit_agrees_with_the_oracle(submission, rng):
    """At r = 1/4 a point forgets itself in one step; nothing grows."""
    T = rng.uniform(-1.0, 1.0, (30, 41))
    arguments = (*conditions(rng, 0.25), 101)
    agree(submission.heat_step_n(T, *arguments), heat.heat_step_n(T, *arguments), "T at r = 1/4")


@pytest.mark.criterion("edge-cases")
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 9), (7, 1), (2, 2), (2, 11), (8, 2)])
def test_a_plate_of_rim_only_stays(submission, rng, shape):
    """With fewer than three rows or columns nothing is inside."""
    T = rng.uniform(250.0, 400.0, shape)
    close(submission.heat_step_n(T, *conditions(rng), 5), T, rtol=1e-13, what="a plate of rim only")


@pytest.mark.criterion("edge-cases")
@pytest.mark.parametrize("shape", [(3, 3), (3, 4), (4, 3), (3, 18), (19, 3), (4, 4), (5, 5)])
def test_small_plates_agree_with_the_oracle(submission, rng, shape):
    """One row or column of inner points, for one step and for more steps than points."""
    T = rng.uniform(250.0, 400.0, shape)
    for n in (1, 2, 3, 37):
        arguments = (*conditions(rng), n)
        agree(submission.heat_step_n(T, *arguments), heat.heat_step_n(T, *arguments), f"T after {n} steps")


@pytest.mark.criterion("edge-cases")
def test_no_steps_and_no_conduction_return_the_plate(submission, rng):
    """n = 0, alpha = 0 and dt = 0 all leave every bit in place."""
    T = rng.uniform(250.0, 400.0, (14, 10))
    alpha, dx, dt = conditions(rng)
    same(submission.heat_step_n(T, alpha, dx, dt, 0), T, what="T after no steps")
    close(submission.heat_step_n(T, 0.0, dx, dt, 6), T, rtol=1e-13, what="T for alpha = 0")
    close(submission.heat_step_n(T, alpha, dx, 0.0, 7), T, rtol=1e-13, what="T for dt = 0")


@pytest.mark.criterion("layout")
def test_memory_layout_does_not_matter(submission, rng):
    """Stored by columns, transposed, every other point, or backwards: the same plate, the same answer."""
    stored = rng.uniform(250.0, 400.0, (48, 62))
    for T in (np.asfortranarray(stored), stored.T, stored[::2, ::3], stored[5:40, 7:30], stored[::-1, ::-1]):
        arguments = (*conditions(rng), int(rng.integers(1, 20)))
        agree(submission.heat_step_n(T, *arguments), heat.heat_step_n(T, *arguments), "T")


@pytest.mark.criterion("layout")
def test_the_same_plate_gives_the_same_answer_again(submission, rng):
    """Three calls in a row, another plate in between: no state survives, and the input is left alone."""
    T, other = rng.uniform(250.0, 400.0, (2, 40, 50))
    arguments = (*conditions(rng), 30)
    expected = heat.heat_step_n(T, *arguments)
    agree(submission.heat_step_n(T, *arguments), expected, "T")
    submission.heat_step_n(other, *conditions(rng), 7)
    agree(submission.heat_step_n(T, *arguments), expected, "T, asked a second time")


@pytest.mark.criterion("speed")
def test_speed(duel, rng):
    """A plate of 1024 × 1024 points, 100 steps, fresh and rough in every round."""

    def make(rng):
        return (rng.uniform(250.0, 400.0, (1024, 1024)), *conditions(rng, rng.uniform(0.15, 0.25)), 100)

    def verify(args, got, expected):
        agree(got, expected, "T of the timed call")

    duel("heat_step_n", make, verify)
