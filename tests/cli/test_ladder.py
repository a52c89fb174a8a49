"""The ladder: real peaks, a real duel, a table that somebody can read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.cli import cli
from autograder.cli.ladder import LADDER
from autograder.engine.peaks import Peaks
from autograder.measure.machine import fingerprint

REPOSITORY = Path(__file__).resolve().parents[2]
PROCESSOR = fingerprint()["processor"]
KEPT = "| z99_other, speed | kernel (other.py) | 2 | 20 ms | 1× | 50.0% | 2026-11-27 |"
TABLE = f"""{PROCESSOR}: 1 core: 1.0 Gflop/s, copy 1.0 GB/s.

| assignment, criterion | rung | cores | a call | against the slowest | of the roofline | measured |
| --- | --- | ---: | ---: | ---: | ---: | --- |
| _template, speed | old | 1 | 20 ms | 1× | 50.0% | 2026-11-27 |
{KEPT}"""


def test_the_longer_of_two_limits_counts():
    """A call that moves much is judged by bandwidth, one that computes much by arithmetic."""
    peaks = Peaks(1, flops=1e9, bytes=1e8)
    assert peaks.share(1e9, 1.0, 2.0) == pytest.approx(0.5)
    assert peaks.share(1.0, 1e8, 4.0) == pytest.approx(0.25)


def test_a_file_without_the_marks_is_not_touched(tmp_path):
    """It may be somebody's own."""
    mine = tmp_path / "README.md"
    mine.write_text("mine")
    found = CliRunner().invoke(cli, ["course", "ladder", "--output", str(mine)])
    assert found.exit_code != 0 and mine.read_text() == "mine"


def test_rows_of_another_processor_are_not_mixed_with_ours(tmp_path, monkeypatch):
    """Nothing is measured, and the file is as it was."""
    monkeypatch.chdir(REPOSITORY)
    page = tmp_path / "README.md"
    page.write_text(f"<!-- {LADDER.begin} -->\n{TABLE.replace(PROCESSOR, 'Z80')}\n<!-- {LADDER.end} -->\n")
    before = page.read_text()
    found = CliRunner().invoke(cli, ["course", "ladder", "_template", "--output", str(page)])
    assert "not of this" in str(found.exception) + found.output and found.exit_code != 0 and page.read_text() == before


@pytest.mark.docker
@pytest.mark.slow
def test_the_template_s_ladder(node, tmp_path, monkeypatch):
    """Baseline, solutions and kernel, slowest first, none beyond the limits of the machine."""
    monkeypatch.chdir(REPOSITORY)
    page = tmp_path / "README.md"
    page.write_text(f"before\n<!-- {LADDER.begin} -->\n{TABLE}\n<!-- {LADDER.end} -->\nafter\n")
    found = CliRunner().invoke(cli, ["course", "ladder", "_template", "--output", str(page)])
    assert found.exit_code == 0, found.output
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "| old |" not in text
    assert KEPT in text and "2 cores: " in text
    rows = re.findall(
        r"\| _template, speed \| (.+?) \| 1 \| ([\d.]+) ms \| ([\d.]+)× \| ([\d.]+)% \| [\d-]{10} \|", text
    )
    assert rows[0][0].startswith("baseline") and any(name.startswith("kernel") for name, *_ in rows)
    assert len(rows) == 2 + len(list((REPOSITORY / "assignments/_template/solutions").glob("*.py")))
    times = [float(ms) for _, ms, *_ in rows]
    assert times == sorted(times, reverse=True) and float(rows[0][2]) == 1
    assert all(0 < float(share) < 110 for *_, share in rows)
