"""Hidden checks of "A tracer in the wind".

One tolerance serves all, RELATIVE √n = 1e-5 √n of the largest value that the absolute field has at the end.
- A step rounds a cell by at most 9 u, u = 6e-8: four shares, their products and sums, each of a part of what the cell holds. All shares
  are non-negative, so that a step carries an error as it carries the tracer: n steps err by at most 9 n u of what |C| has become, which is
  less than 1e-5 √n for n < 340; all checks below but the timed one have n <= 10.
- Rounding errors have random signs, and add up like √n u, 1/100 of the tolerance; what is systematic is the rounding of the shares
  themselves, n u / 2 at most: for the 250 steps of the timed call 7.5e-6 of 1.6e-4.
Half precision errs by 5e-4 / √3 in every step.

Mass: a step multiplies a cell's mass by the sum of the shares as they were rounded, 1 ± u, and rounds five sums of non-negative numbers
on the way: 6 u a step at most, 4e-7, if every rounding had the same sign.

Sizes are small, because without a GPU a simulator runs every thread on the CPU.
"""

import math

import numpy as np
import pytest

from autograder.judge.compare import close, same
from reference import advection

RELATIVE = 1e-5  # times √n; see above
MASS = 4e-7  # a step


def conditions(rng, c=None, d=None, r=None):
    """Draw u, v, K, dx, dt of an atmosphere, such that |c| + |d| + 4 r <= 1; what is given is kept."""
    parts = rng.dirichlet([2.0, 2.0, 2.0]) * rng.uniform(0.4, 0.98)
    c = parts[0] * rng.choice([-1.0, 1.0]) if c is None else c
    d = parts[1] * rng.choice([-1.0, 1.0]) if d is None else d
    r = parts[2] / 4.0 if r is None else r
    dx, dt = 10.0 ** rng.uniform(3.0, 5.0), 10.0 ** rng.uniform(1.0, 3.0)
    return c * dx / dt, d * dx / dt, r * dx**2 / dt, dx, dt


def field(rng, *shape):
    """Draw a rough, non-negative field in single precision."""
    return rng.uniform(0.0, 300.0, shape).astype(np.float32)


def agree(got, expected, n, largest, what="C"):
    """Compare two fields, within RELATIVE √n of the largest value."""
    close(got, expected, rtol=0.0, atol=RELATIVE * math.sqrt(max(n, 1)) * largest, what=f"{what} after {n} steps")


def follow(submission, C, arguments, n, what="C"):
    """Compare with the oracle; return what was got."""
    got = submission.adv_diff(C, *arguments, n)
    largest = advection.adv_diff(np.abs(C), *arguments, n).max(initial=0.0)
    agree(got, advection.adv_diff(C, *arguments, n), n, largest, what)
    return got


@pytest.mark.criterion("formula")
@pytest.mark.parametrize("shape", [(1, 8, 16), (2, 9, 35), (1, 40, 9), (3, 5, 70), (1, 20, 65)])
def test_random_fields_agree_with_the_oracle(submission, rng, shape):
    """More rows than columns and fewer, one member and several, an odd and an even number of steps."""
    for n in (2, 3):
        follow(submission, field(rng, *shape), conditions(rng), n)


@pytest.mark.criterion("formula")
@pytest.mark.parametrize(("c", "d", "r"), [(0.6, 0, 0), (-0.6, 0, 0), (0, 0.6, 0), (0, -0.6, 0), (0, 0, 0.15)])
def test_each_term_alone(submission, rng, c, d, r):
    """East, west, up, down, and mixing without wind."""
    follow(submission, field(rng, 1, 12, 19), conditions(rng, c, d, r), 3, "C with one term only")


@pytest.mark.criterion("formula")
@pytest.mark.parametrize("scale", [1e-25, -1e-6, 1e25])
def test_scaling_the_field_scales_the_answer(submission, rng, scale):
    """The equation is linear: nothing is cut off, negative fields included."""
    C = rng.standard_normal((1, 9, 14)).astype(np.float32) * np.float32(scale)
    follow(submission, C, conditions(rng), 4, f"C of size {abs(scale):g}")


@pytest.mark.criterion("mass")
@pytest.mark.parametrize(("shape", "n"), [((2, 9, 13), 6), ((1, 33, 20), 3), ((3, 6, 5), 9)])
def test_every_member_keeps_its_mass(submission, rng, shape, n):
    """Whatever the wind does; members of very different mass do not mix."""
    C = field(rng, *shape) * np.float32([1.0, 1e-3, 1e3])[: shape[0], None, None]
    got = follow(submission, C, conditions(rng), n)
    before, after = C.sum(axis=(1, 2), dtype=np.float64), got.sum(axis=(1, 2), dtype=np.float64)
    close(after, before, rtol=MASS * n, what=f"mass after {n} steps")


@pytest.mark.criterion("mass")
@pytest.mark.parametrize("d", [0.75, -0.75])
def test_a_gale_against_the_wall_loses_nothing(submission, rng, d):
    """The outermost rows hold nearly everything after a while."""
    C, n = field(rng, 1, 6, 8), 9
    got = follow(submission, C, conditions(rng, 0.1, d, 0.03), n)
    close(got.sum(dtype=np.float64), C.sum(dtype=np.float64), rtol=MASS * n, what="mass")


@pytest.mark.criterion("mass")
@pytest.mark.parametrize("shares", [(1.0, 0.0, 0.0), (-0.5, 0.5, 0.0), (0.0, 0.0, 0.25), (0.3, -0.3, 0.1)])
def test_nothing_becomes_negative_at_the_limit(submission, rng, shares):
    """A puff in an empty field, at |c| + |d| + 4 r = 1."""
    C, n = np.zeros((1, 11, 10), np.float32), 5
    C[0, rng.integers(11), rng.integers(10)] = 1000.0
    got = follow(submission, C, conditions(rng, *shares), n)
    agree(got, np.maximum(got, 0.0), n, 1000.0, "C, cut at zero,")


@pytest.mark.criterion("walls-and-seam")
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_wave_travels_round_the_earth(submission, rng, sign):
    """A mode is turned and damped by a known factor in every step; its crest crosses the seam."""
    ny, nx, n = 8, 24, 10
    p, q, c, r = int(rng.integers(0, 4)), int(rng.integers(1, 5)), sign * rng.uniform(0.3, 0.6), rng.uniform(0.01, 0.09)
    wave = np.exp(2j * np.pi * q * np.arange(nx) / nx + 1j * rng.uniform(0.0, 6.0))
    across = np.cos(np.pi * p * (np.arange(ny)[:, None] + 0.5) / ny)
    C = (100.0 * wave * across).real.astype(np.float32)[None]
    expected = (100.0 * advection.mode_factor(ny, nx, p, q, c, r) ** n * wave * across).real[None]
    agree(submission.adv_diff(C, *conditions(rng, c, 0.0, r), n), expected, n, 100.0, "the wave")


@pytest.mark.criterion("walls-and-seam")
@pytest.mark.parametrize("c", [1.0, -1.0])
def test_a_whole_cell_a_step_is_a_rotation(submission, rng, c):
    """|c| = 1 without mixing moves the field by one column a step, across the seam, and rounds once a step."""
    C, n = field(rng, 1, 4, 37), 5
    got = submission.adv_diff(C, *conditions(rng, c, 0.0, 0.0), n)
    agree(got, np.roll(C, int(c) * n, axis=2), n, C.max(), "the rotated field")


@pytest.mark.criterion("walls-and-seam")
@pytest.mark.parametrize("d", [1.0, -1.0])
def test_a_whole_cell_a_step_piles_up_at_the_wall(submission, rng, d):
    """|d| = 1 without mixing moves every row towards the wall, where it stays; nothing comes from the other wall."""
    C, n = field(rng, 2, 10, 7), 4
    rows = C.astype(np.float64) if d > 0 else C[:, ::-1].astype(np.float64)
    expected = np.zeros_like(rows)
    expected[:, n:] = rows[:, :-n]
    expected[:, -1] = rows[:, -1 - n :].sum(axis=1)
    got = submission.adv_diff(C, *conditions(rng, 0.0, d, 0.0), n)
    agree(got, expected if d > 0 else expected[:, ::-1], n, expected.max(), "the piled-up field")


@pytest.mark.criterion("walls-and-seam")
def test_settling_and_mixing_balance(submission, rng):
    """The profile (n/s)^i lets as much down as up through every face, whatever blows along x."""
    d, r, n = -rng.uniform(0.02, 0.06), rng.uniform(0.1, 0.15), 8
    arguments = conditions(rng, rng.uniform(-0.2, 0.2), d, r)
    _, _, up, down = advection.shares(*arguments)
    C = np.tile((1000.0 * (up / down) ** np.arange(20.0))[None, :, None], (1, 1, 6)).astype(np.float32)
    agree(submission.adv_diff(C, *arguments, n), C, n, 1000.0, "the settled profile")


@pytest.mark.criterion("edge-cases")
@pytest.mark.parametrize("shape", [(1, 31, 32), (1, 32, 33), (1, 33, 31), (1, 64, 3), (1, 3, 129)])
def test_sizes_around_a_tile(submission, rng, shape):
    """One less and one more than a warp has threads."""
    follow(submission, field(rng, *shape), conditions(rng), 2)


@pytest.mark.criterion("edge-cases")
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 8), (2, 9, 1), (1, 2, 2), (1, 1, 2), (1, 2, 1), (5, 3, 3)])
def test_tiny_fields(submission, rng, shape):
    """One row has two walls; one column is its own neighbour to both sides."""
    for n in (1, 4):
        follow(submission, field(rng, *shape), conditions(rng), n)


@pytest.mark.criterion("edge-cases")
def test_no_steps_no_time_no_motion(submission, rng):
    """n = 0 leaves every bit in place; dt = 0, and neither wind nor mixing, change nothing."""
    C, (u, v, K, dx, dt) = field(rng, 2, 7, 9), conditions(rng)
    same(submission.adv_diff(C, u, v, K, dx, dt, 0), C, what="C after no steps")
    close(submission.adv_diff(C, u, v, K, dx, 0.0, 3), C, rtol=1e-6, what="C for dt = 0")
    close(submission.adv_diff(C, 0.0, 0.0, 0.0, dx, dt, 3), C, rtol=1e-6, what="C without wind or mixing")


@pytest.mark.criterion("edge-cases")
def test_the_same_field_gives_the_same_answer_again(submission, rng):
    """Another field of the same size in between: no state survives, and the input is left alone."""
    C, arguments = field(rng, 1, 16, 16), conditions(rng)
    for _ in range(2):
        follow(submission, C, arguments, 2)
        follow(submission, field(rng, 1, 16, 16), conditions(rng), 1)


@pytest.mark.criterion("speed")
def test_speed(duel):
    """4096 × 8192 cells, 250 steps, a fresh and rough field in every round; compared with the kernel's answer, both in single precision."""
    n = 250

    def make(rng):
        C = rng.random((1, 4096, 8192), dtype=np.float32) * np.float32(300.0)
        return (C, *conditions(rng), n)

    def verify(args, got, expected):
        agree(got, expected, n, np.abs(expected).max(), "C of the timed call")
        close(got.sum(dtype=np.float64), args[0].sum(dtype=np.float64), rtol=MASS * n, what="mass after the timed call")

    duel("adv_diff", make, verify)
