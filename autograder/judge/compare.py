"""What checks say about a result. Every comparison is written so that NaN fails."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from autograder.domain.verdict import Finding, Verdict


class CheckFailure(AssertionError):  # pytest shows its name to TAs; it is a finding, not an error of ours
    """What a check found; carried to the verdict by the plugin."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding.verdict}: {finding.detail}")
        self.finding = finding


def fail(verdict: Verdict, detail: str) -> NoReturn:
    """Ends a check with that verdict."""
    raise CheckFailure(Finding(verdict, detail))


def require(condition: object, sentence: str) -> None:
    """Wrong answer unless the condition holds; NaN does not hold."""
    if not bool(condition) or condition != condition:  # NaN
        fail(Verdict.WRONG_ANSWER, sentence)


def close(got: Any, expected: Any, *, rtol: float, atol: float = 0.0, what: str = "result") -> None:
    """Element-wise |got − expected| ≤ rtol·|expected| + atol; infinities and NaN in `expected` must be met exactly.

    Args:
        got: the submission's values.
        expected: the oracle's values, of the same shape.
        rtol: relative tolerance, dimensionless.
        atol: absolute tolerance, in the result's unit; scale it with the answer.
        what: the result's name, for the sentence.
    """
    mine, theirs = np.asarray(got), np.asarray(expected)
    if mine.shape != theirs.shape:
        fail(Verdict.WRONG_SHAPE, f"{what}: expected shape {theirs.shape}, got {mine.shape}")
    if _plainly_close(mine, theirs, rtol, atol):
        return
    unwritten = np.isfinite(theirs) & ~np.isfinite(mine)
    if unwritten.any():
        where = _first(unwritten)
        fail(Verdict.NOT_FINITE, f"{what}{_at(where)}: expected {theirs[where]:.6g}, got {mine[where]}")
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(mine.astype(np.float64) - theirs)
        within = (difference <= rtol * np.abs(theirs) + atol) & (
            difference < np.inf
        )  # an infinity is not near anything
        agrees = within | (mine == theirs) | (np.isnan(mine) & np.isnan(theirs))
    if not agrees.all():
        where = _first(~agrees)
        allowed = rtol * abs(float(theirs[where])) + atol
        fail(
            Verdict.WRONG_ANSWER,
            f"{what}{_at(where)}: expected {theirs[where].item()!r}, got {mine[where].item()!r}, "
            f"differs by {difference[where]:.3g}, allowed {allowed:.3g} ({int((~agrees).sum())} of {agrees.size} values differ)",
        )


def _plainly_close(mine: Any, theirs: Any, rtol: float, atol: float) -> bool:
    """The usual case in a few passes over memory, because a verdict must not take longer than the kernel.

    Says no to any NaN or infinity; the long way then finds out where and why.
    """
    single = mine.dtype == theirs.dtype == np.float32 and rtol == 0.0
    if mine.ndim == 0 or not (single or mine.dtype == theirs.dtype == np.float64):
        return False
    if single:
        atol *= 1.0 - 2.0**-23  # what the difference may have lost by rounding
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.subtract(mine, theirs)
        np.abs(difference, out=difference)
        largest = difference.max(initial=0.0)  # NaN if there is one
        if not largest < np.inf:
            return False
        if rtol == 0.0:
            return bool(largest <= atol)
        allowed = np.abs(theirs)
        allowed *= rtol
        allowed += atol
        return bool((difference <= allowed).all())


def same(got: Any, expected: Any, *, what: str = "result") -> None:
    """Exactly equal, element by element."""
    mine, theirs = np.asarray(got), np.asarray(expected)
    if mine.shape != theirs.shape:
        fail(Verdict.WRONG_SHAPE, f"{what}: expected shape {theirs.shape}, got {mine.shape}")
    equal = mine == theirs
    if not equal.all():
        where = _first(~equal)
        fail(Verdict.WRONG_ANSWER, f"{what}{_at(where)}: expected {theirs[where]}, got {mine[where]}")


def _first(mask: Any) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(mask)[0])


def _at(where: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, where))}]" if where else ""
