"""`verify-verdicts`: what it refuses, and that it measures what it says."""

from __future__ import annotations

import contextlib
import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from autograder.cli import campaign, cli
from autograder.cli.campaign import RATIOS
from autograder.measure.rules import Tally, together
from autograder.measure.statistics import Rule

SHORT = ["verify-verdicts", "--decisions", "50", "--rounds", "10", "--launches", "1"]


@pytest.mark.parametrize("lent", ["none", "simulated"])
def test_without_a_gpu_none_is_measured(monkeypatch, lent):
    """Nothing but a real one will do."""
    monkeypatch.setenv("AUTOGRADER_GPUS", lent)
    found = CliRunner().invoke(cli, [*SHORT, "--gpu"])
    assert found.exit_code == 2 and "has no GPU to lend" in found.output


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--decisions", "0"], "--decisions"),
        (["--rounds", "0"], "--rounds"),
        (["--launches", "0"], "--launches"),
        (["--kernel-ms", "0"], "--kernel-ms"),
        (["--rounds", "16", "--launches", "4"], "20 or more"),
    ],
)
def test_what_cannot_be_decided_from_is_not_recorded(monkeypatch, arguments, named):
    """It is said before any guest starts, not in a traceback after an hour."""
    monkeypatch.setattr(campaign, "Node", lambda options: pytest.fail("a node was started"))
    found = CliRunner().invoke(cli, ["verify-verdicts", *arguments])
    assert found.exit_code == 2 and named in found.output, found.output


def _tally(ratio: float, launch: int, *, passed: int = 0, failed: int = 0) -> Tally:
    return Tally(ratio, 100, passed, failed, 100 - passed - failed, (20,) * 100, 0, 0, ratio, 0, 0.01, launch)


def test_errors_are_told_by_launches():
    """A hundred decisions from one trace are no hundred independent ones; four launches are four."""
    wrong = together([_tally(1.0, launch, passed=100 - bad, failed=bad) for launch, bad in enumerate((30, 0, 0, 0))])
    right = together([_tally(0.9, launch, failed=100) for launch in range(4, 8)])
    passes, fails, neither = campaign._errors([right, wrong], Rule())
    assert "0 of 400 draws (0.00%; resampled, not independent), in 0 of 4 launches" in passes
    assert "exact 95 % interval 0.0% to 60.2%" in passes  # 1 - 0.025^(1/4)
    assert "30 of 400 draws (7.50%; resampled, not independent), in 1 of 4 launches (25%" in fails
    assert "0 of 800 draws" in neither and "0 of 8 launches" in neither
    assert [part.failed for part in wrong.parts] == [30, 0, 0, 0]


@pytest.mark.parametrize(("device", "expected"), [("", 2 * len(RATIOS)), ("GPU-1", 2)])
def test_launches_are_numbered_as_they_are_started(device, expected):
    """On a GPU one launch serves all ratios; it is one, and not five."""

    @contextlib.contextmanager
    def bench(kernel_s, gpu):
        yield SimpleNamespace(cores=(0,), aim=lambda seconds: None)

    found = list(campaign._launches(SimpleNamespace(bench=bench), device, (20.0,), 2, noisy=False))
    assert len(found) == 2 * len(RATIOS) and len({launch for launch, *_ in found}) == expected


@pytest.mark.docker
@pytest.mark.slow
def test_every_length_and_every_ratio_is_measured(node):
    """Two lengths of kernel, five ratios each, and estimates near the planted ones."""
    found = CliRunner().invoke(cli, [*SHORT, "--kernel-ms", "5", "--kernel-ms", "10", "--no-truth", "--json"])
    assert found.exit_code == 0, found.output
    rows = json.loads(found.output.strip().splitlines()[-1])["tallies"]
    assert [(r["kernel_ms"], r["ratio"]) for r in rows] == [(ms, ratio) for ms in (5.0, 10.0) for ratio in RATIOS]
    assert all(r["estimate"] == pytest.approx(r["ratio"], rel=0.15) for r in rows)
    assert all([part["decisions"] for part in r["parts"]] == [r["decisions"]] for r in rows)
