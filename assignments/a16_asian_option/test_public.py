"""Public checks of "An Asian option": contracts with known prices."""

import math

import pytest

from autograder.judge.compare import close, require


@pytest.mark.criterion("examples")
def test_the_contract_of_the_handout(submission):
    """S0 = K = 100 USD, 5 % interest, 20 % volatility, one year, 52 dates: 5.85386 USD."""
    price, stderr = submission.asian_call(100.0, 100.0, 0.05, 0.2, 1.0, 52, 40_000, 7, 2)
    # from 32 batches an honest one is uncertain by 13 %
    require(0.0 < stderr <= 0.08, f"40 000 plain paths give a standard error of some 0.04 USD, not {stderr:.4g}")
    # An honest estimate leaves 6 standard errors twice in a thousand million times.
    close(price, 5.85386, rtol=0.0, atol=6.0 * stderr + 1e-5, what="the price")


@pytest.mark.criterion("examples")
def test_without_randomness_the_price_is_certain(submission):
    """With σ = 0 the stock follows its interest, and there is no error."""
    price, stderr = submission.asian_call(100.0, 60.0, 0.05, 0.0, 1.0, 4, 1000, 7, 2)
    mean = 100.0 * sum(math.exp(0.05 * j / 4) for j in (1, 2, 3, 4)) / 4
    close(price, math.exp(-0.05) * (mean - 60.0), rtol=1e-5, what="the price for σ = 0")
    close(stderr, 0.0, rtol=0.0, atol=1e-4, what="the standard error for σ = 0")


@pytest.mark.criterion("examples")
def test_a_seed_can_be_replayed(submission):
    """The same seed gives the same price, another seed another one."""
    first, again, other = (
        submission.asian_call(100.0, 90.0, 0.03, 0.3, 1.0, 12, 1000, seed, 2)[0] for seed in (5, 5, 6)
    )
    close(again, first, rtol=1e-6, what="the price, asked a second time with the same seed")
    require(other != first, "another seed has to give another estimate")
