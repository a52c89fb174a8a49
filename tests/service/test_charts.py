"""Plots of a class: numbers at the axis, the right words, and never two drawings at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from matplotlib.figure import Figure

from autograder.api import Assignment
from autograder.domain.project import Measured, Standing
from autograder.report import plots
from hub.service import charts
from hub.service.grades import opponents
from tests.report.test_plots import SPANS, numbers


@pytest.mark.parametrize("ends", SPANS)
def test_an_axis_of_speedups_has_two_numbers_at_least(ends: tuple[float, float]) -> None:
    """Also where no power of ten lies among them."""
    drawn = charts.speedups({"Speed": list(enumerate(ends))}, {}, {"Speed": "the baseline"})
    assert len(numbers(drawn, 1)) >= 2


def test_each_line_says_what_was_timed_beside_the_submissions(basic: Assignment) -> None:
    """A criterion knows; claims are against a team's own program."""
    known = opponents(basic, [*(c.title for c in basic.criteria if c.kind.timed), "gone"])
    assert "the reference kernel" in known.values() and known["gone"] == "the reference"
    drawn = charts.speedups({"Speed": [(1, 2.0)], "Scaling": [(1, 1.5)]}, {}, {"Speed": "A", "Scaling": "B"})
    assert "against A" in drawn and "against B" in drawn and "reference" not in drawn


def test_the_class_and_a_report_are_not_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of the showcase is drawn in another thread than the staff's plots."""
    inside, most, guard, save = 0, 0, threading.Lock(), Figure.savefig

    def slow(figure: Figure, *args: Any, **more: Any) -> None:
        nonlocal inside, most
        with guard:
            inside += 1
            most = max(most, inside)
        time.sleep(0.1)
        save(figure, *args, **more)
        with guard:
            inside -= 1

    monkeypatch.setattr(Figure, "savefig", slow)
    claim = Measured("c", 3.0, Standing.VERIFIED, 3.1, (2.9, 3.3), (3.1,))
    with ThreadPoolExecutor(3) as threads:
        drawn = [
            threads.submit(charts.scores, [1.25, 7.5], 11.0),
            threads.submit(charts.speedups, {"One": [(1, 2.25)]}, {}, {"One": "it"}),
            threads.submit(plots.claims, [claim]),
        ]
        assert all(one.result().startswith("<svg") for one in drawn)
    assert most == 1
