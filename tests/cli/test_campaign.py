"""`verify-verdicts`: what it refuses, and that it measures what it says."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from autograder.cli import cli
from autograder.cli.campaign import RATIOS

SHORT = ["verify-verdicts", "--decisions", "50", "--rounds", "10", "--launches", "1"]


@pytest.mark.parametrize("lent", ["none", "simulated"])
def test_without_a_gpu_none_is_measured(monkeypatch, lent):
    """Nothing but a real one will do."""
    monkeypatch.setenv("AUTOGRADER_GPUS", lent)
    found = CliRunner().invoke(cli, [*SHORT, "--gpu"])
    assert found.exit_code == 2 and "has no GPU to lend" in found.output


@pytest.mark.docker
@pytest.mark.slow
def test_every_length_and_every_ratio_is_measured(node):
    """Two lengths of kernel, five ratios each, and estimates near the planted ones."""
    found = CliRunner().invoke(cli, [*SHORT, "--kernel-ms", "5", "--kernel-ms", "10", "--no-truth", "--json"])
    assert found.exit_code == 0, found.output
    rows = json.loads(found.output.strip().splitlines()[-1])["tallies"]
    assert [(r["kernel_ms"], r["ratio"]) for r in rows] == [(ms, ratio) for ms in (5.0, 10.0) for ratio in RATIOS]
    assert all(r["estimate"] == pytest.approx(r["ratio"], rel=0.15) for r in rows)
