"""The checks of one claim of a project: inputs are drawn here, in the judge, as the claim declares them in `claim.json`.

Staged as an assignment's `test_hidden.py` by `engine.claims`; both programs are the team's, in a container each.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.domain.verdict import Verdict
from autograder.judge.compare import close, fail
from autograder.judge.proxy import Proxy

FILE = "claim.json"
AGREES, SPEED = "agrees", "speed"
TIMES = 3

Claim = dict[str, Any]


@pytest.fixture
def claim(request: pytest.FixtureRequest) -> Claim:
    """What is claimed."""
    found: Claim = json.loads((request.path.parent / FILE).read_text(encoding="utf-8"))
    return found


@pytest.mark.criterion(AGREES)
def test_both_programs_agree(submission: Proxy, reference: Proxy, rng: np.random.Generator, claim: Claim) -> None:
    """On fresh inputs, as they are timed; and what comes out has to do with what went in."""
    seen = set()
    for _ in range(TIMES):
        given = drawn(claim, rng)
        found = getattr(reference, claim["function"])(*given)
        agree(getattr(submission, claim["function"])(*given), found, claim)
        seen.add(b"".join(np.asarray(v).tobytes() for v in (found if isinstance(found, tuple) else (found,))))
    if len(seen) == 1:
        fail(Verdict.WRONG_ANSWER, f"{TIMES} different inputs gave the same result: a program could remember it")


@pytest.mark.criterion(SPEED)
def test_speed(duel: Callable[..., Any], claim: Claim) -> None:
    """Every timed call's result is compared."""
    duel(claim["function"], lambda rng: drawn(claim, rng), lambda _, got, expected: agree(got, expected, claim))


def drawn(claim: Claim, rng: np.random.Generator) -> tuple[Any, ...]:
    """One set of arguments, in the order of the declaration."""
    return tuple(_one(rng, spec) for spec in claim["inputs"])


def _one(rng: np.random.Generator, spec: dict[str, Any]) -> Any:
    low, high, shape = spec["low"], spec["high"], tuple(spec["shape"])
    match spec["how"]:
        case "constant":
            made = np.full(shape, low)
        case "uniform":
            made = rng.uniform(low, high, shape)
        case "normal":
            made = rng.normal(low, high, shape)
        case _:
            made = rng.integers(int(low), int(high), shape).astype(np.int64)
    return np.asarray(made).astype(spec["dtype"]) if shape else np.asarray(made).item()


def agree(got: Any, expected: Any, claim: Claim) -> None:
    """Each result within rtol of the largest magnitude in the baseline's; with rtol 0 the same numbers."""
    mine, theirs = (v if isinstance(v, tuple) else (v,) for v in (got, expected))
    for i, (one, other) in enumerate(zip(mine, theirs, strict=True)):
        wanted = np.asarray(other)
        size = float(np.abs(wanted[np.isfinite(wanted)].astype(np.float64)).max(initial=0.0))
        close(
            one, wanted, rtol=0.0, atol=claim["rtol"] * size, what=f"result {i + 1}" if len(mine) > 1 else "the result"
        )
    if not any(np.any(np.isfinite(e) & (np.asarray(e) != 0)) for e in theirs):
        fail(Verdict.WRONG_ANSWER, "the baseline returned nothing but zeros, infinities and NaN: that proves nothing")


def stage(folder: Path, claim: Claim) -> None:
    """Writes the checks of one claim into an assignment's folder."""
    names = ", ".join(sorted(f.__name__ for f in (test_both_programs_agree, test_speed)))
    (folder / FILE).write_text(json.dumps(claim), encoding="utf-8")
    (folder / "test_hidden.py").write_text(
        f'"""Staged for one claim."""\n\nfrom {__name__} import claim, {names}  # noqa: F401\n', encoding="utf-8"
    )
