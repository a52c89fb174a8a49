"""Hidden checks of "Millions of states through a small network".

The oracle computes in double precision on the CPU; a submission may err by TOLERANCE = 1e-4, which bounds single precision for every
draw. With u = 2^-24 = 6.0e-8, |U| <= 1.5, |W1| and |b1| <= 1, |W2| <= 1/4, |b2| <= 1/2:

- a cube takes two roundings, z = W1 u³ + b1 three more, and its terms sum to 2 · 1.5³ + 1 = 7.75 at most: 5 · 7.75 u = 2.3e-6;
- tanh does not enlarge that, and adds its own: 2 ulp (CUDA's tanhf), or 3 u for 1 - 2 / (1 + exp 2z): together 2.6e-6 a unit;
- W2 weights fifty of those by 12.5 in sum: 3.3e-5;
- a product and fifty additions, in whatever order, round 51 times what stays below 13: 4.0e-5.

That is 7.3e-5 at the very worst; what single precision makes in fact is 1e-6 to 1e-5.

Eleven bits, as half precision and TF32 have, round by 2^-11 = 4.9e-4. In a random network such errors of fifty terms of 1/4 average,
as far as they can, to 3e-4 in one rate; the largest of a thousand rates is three times that. Where fifty units are alike nothing
averages: states that are rounded before their cubes move z by 5e-4 and the rate by 12.5 times as much; rounded tanh or W2 do the same.

Measured on a CPU, the largest error of a call, over 1000 draws of either kind: single precision (PyTorch, two ways) is off by 2e-6 at most
in random networks and 9e-6 where units are alike. At least, TF32 products are off by 4e-4 and 3e-3, half precision throughout by 9e-4
and 8e-3, tanh alone in half precision by 3e-4 and 2e-3, states alone by 5e-4 and 5e-3. Rounding W2 alone, by 3e-4 and 2e-3 in
the median, passes about one draw in a thousand, but a grading has twenty.

Nothing here is random for a correct submission: the bounds hold for every draw. Sizes are small because, without a GPU, a simulator
runs every thread of a kernel as a thread of Python; the duel checks 2^24 states in every round.
"""

import numpy as np
import pytest

from autograder.judge.compare import close
from reference import network_batch as oracle

TOLERANCE = 1e-4  # see above
STATES = 2**24  # of the timed call: 7 ms operator by operator on an H200, where starting and ending a call takes 1 ms


def agree(submission, U, p, tolerance=TOLERANCE):
    """Compare all rates with the oracle's."""
    close(submission.nn_batch(U, p), oracle.nn_batch(U, p), rtol=0.0, atol=tolerance, what="the rates")


@pytest.mark.criterion("formula")
@pytest.mark.parametrize("B", [2, 32, 100, 257, 640])
def test_random_networks(submission, rng, B):
    """Below a warp, one warp, and sizes that blocks of 32 to 512 do and do not divide."""
    agree(submission, oracle.draw_states(rng, B), oracle.draw_parameters(rng))


@pytest.mark.criterion("formula")
@pytest.mark.parametrize("part", [slice(0, 100), slice(100, 150), slice(150, 250), slice(250, 252)])
def test_one_kind_of_parameter_at_a_time(submission, rng, part):
    """W1, b1, W2 or b2 is drawn, the others are constants: names the part that is read wrongly."""
    p = (0.5 * oracle.SCALES).astype(np.float32)
    p[part] = oracle.draw_parameters(rng)[part]
    agree(submission, oracle.draw_states(rng, 40), p)


@pytest.mark.criterion("precision")
def test_random_networks_in_single_precision(submission, rng):
    """A thousand rates: the largest error of eleven bits is several times the tolerance."""
    for _ in range(2):
        agree(submission, oracle.draw_states(rng, 250), oracle.draw_parameters(rng))


@pytest.mark.criterion("precision")
def test_fifty_units_alike(submission, rng):
    """One unit fifty times: errors add up instead of averaging."""
    for _ in range(4):
        agree(submission, oracle.draw_states(rng, 64), oracle.draw_fifty_alike(rng))


@pytest.mark.criterion("edge-cases")
@pytest.mark.parametrize("B", [0, 1, 3, 31, 33, 127, 255])
def test_any_number_of_states(submission, rng, B):
    """None, one, and odd numbers beside the sizes of warps and blocks."""
    agree(submission, oracle.draw_states(rng, B), oracle.draw_parameters(rng))


@pytest.mark.criterion("edge-cases")
def test_saturated_units(submission, rng):
    """W1 and b1 a hundred times as large: z reaches 775, exp 2z overflows, and z itself errs a hundred times as much."""
    p = oracle.draw_parameters(rng)
    p[:150] *= np.float32(100.0)
    agree(submission, oracle.draw_states(rng, 64), p, 100.0 * TOLERANCE)


@pytest.mark.criterion("fresh")
def test_nothing_survives_between_calls(submission, rng):
    """Same sizes: other states, other parameters, both, and the first again."""
    (U, V), (p, q) = (oracle.draw_states(rng, 48) for _ in range(2)), (oracle.draw_parameters(rng) for _ in range(2))
    for states, parameters in [(U, p), (V, p), (V, q), (U, q), (U, p)]:
        agree(submission, states, parameters)


@pytest.mark.criterion("speed")
def test_speed(duel, rng):
    """2^24 states; all rates against PyTorch's, a thousand of them against double precision."""

    def make(rng):
        draw = oracle.draw_parameters if rng.random() < 0.5 else oracle.draw_fifty_alike
        return oracle.draw_states(rng, STATES), draw(rng)

    def verify(args, got, expected):
        close(got, expected, rtol=0.0, atol=2.0 * TOLERANCE, what="the rates")  # both may err
        some = rng.integers(STATES, size=1000)
        close(got[:, some], oracle.nn_batch(args[0][:, some], args[1]), rtol=0.0, atol=TOLERANCE, what="the rates")

    duel("nn_batch", make, verify)
