"""Comparisons: NaN fails, and messages name index, expected, got, allowed."""

import numpy as np
import pytest

from autograder.domain.verdict import Verdict
from autograder.judge.compare import CheckFailure, close, require, same


def verdict_of(action):
    """The verdict that an assertion raises."""
    with pytest.raises(CheckFailure) as caught:
        action()
    return caught.value.finding


def test_close_accepts_what_is_within_the_tolerance():
    """Relative, absolute, and equal infinities where they are expected."""
    close(np.array([1.0, np.inf]), np.array([1.0 + 1e-13, np.inf]), rtol=1e-12)
    close(1e-9, 0.0, rtol=0, atol=1e-8)
    close(np.empty((0, 3)), np.empty((0, 3)), rtol=0)


def test_nan_fails_even_with_an_infinite_tolerance():
    """`difference <= allowed` is false for NaN."""
    assert verdict_of(lambda: close(np.array([np.nan]), np.array([1.0]), rtol=np.inf)).verdict is Verdict.NOT_FINITE
    assert verdict_of(lambda: close(np.array([1.0]), np.array([np.nan]), rtol=np.inf)).verdict is Verdict.WRONG_ANSWER


@pytest.mark.parametrize("got", [1.0, -np.inf, np.nan, 1e308])
def test_an_expected_infinity_must_be_met_exactly(got):
    """No number is within any share of infinity."""
    assert verdict_of(lambda: close(np.array([got]), np.array([np.inf]), rtol=0.5)).verdict is Verdict.WRONG_ANSWER
    close(np.array([np.inf, np.nan]), np.array([np.inf, np.nan]), rtol=0.0)


@pytest.mark.parametrize("got", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("rtol", [0.0, 1.0, np.inf])
def test_an_unwritten_value_fails_with_any_tolerance(got, rtol):
    """Also beside the largest number that there is."""
    for expected in (1.0, 1.7e308):
        found = verdict_of(lambda e=expected: close(np.array([0.0, got]), np.array([0.0, e]), rtol=rtol, atol=np.inf))
        assert found.verdict is Verdict.NOT_FINITE


def test_the_message_names_everything():
    """Index, expected, got, difference, allowed."""
    finding = verdict_of(lambda: close(np.array([[1.0, 2.5]]), np.array([[1.0, 2.0]]), rtol=1e-3, what="T"))
    assert finding.verdict is Verdict.WRONG_ANSWER
    for word in ("T[0, 1]", "expected 2.0", "got 2.5", "0.5", "0.002"):
        assert word in finding.detail


def test_shape_is_compared_before_values():
    """A broadcast is not an agreement."""
    assert verdict_of(lambda: close(np.ones(3), np.ones((1, 3)), rtol=1)).verdict is Verdict.WRONG_SHAPE
    assert verdict_of(lambda: same(np.ones(3), np.ones(4))).verdict is Verdict.WRONG_SHAPE


def test_require_is_false_for_nan():
    """A condition that is not a number does not hold."""
    assert verdict_of(lambda: require(float("nan"), "no")).verdict is Verdict.WRONG_ANSWER
    require(True, "yes")
    require(np.True_, "yes")


def test_single_precision_is_compared_as_double_is():
    """Large arrays of float32 take a short way; it lets nothing pass that the long one refuses, at the very edge either."""
    rng = np.random.default_rng(1)
    theirs = rng.standard_normal(10000).astype(np.float32) * np.float32(100)
    for ulps in (0, 1, 2, 3, 1000):
        mine = theirs.copy()
        for _ in range(ulps):
            mine[7] = np.nextafter(mine[7], np.float32(np.inf))
        off = abs(float(mine[7]) - float(theirs[7]))
        for allowed in (off, np.nextafter(off, 1.0), 2.0 * off):
            close(mine, theirs, rtol=0.0, atol=allowed)
        if off:
            assert (
                verdict_of(lambda m=mine, a=off: close(m, theirs, rtol=0.0, atol=np.nextafter(a, 0.0))).verdict
                is Verdict.WRONG_ANSWER
            )
    mine[7] = np.nan
    assert verdict_of(lambda: close(mine, theirs, rtol=0.0, atol=1e9)).verdict is Verdict.NOT_FINITE
