"""Deadline night, small enough for every run of the tests; `tests/bench/storm.py` runs the whole."""

from __future__ import annotations

from tests.bench.storm import run


def test_three_hundred_students_in_fifteen_seconds(tmp_path, request):
    """Everybody has a receipt within seconds, everybody is graded, the pages stay usable."""
    found = run(tmp_path / "w", "", students=300, seconds=15, grading=0.02)
    assert found["receipts"] == 300 and found["attempts"] == 300
    assert found["receipt_ms"]["p99"] < 5000 and found["page_ms"]["p99"] < 5000, found
