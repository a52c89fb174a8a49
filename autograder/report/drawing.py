"""How every plot is drawn, here and by the service: one at a time, in one style, as SVG text.

Matplotlib's settings and fonts are shared between threads, and the service draws in many.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

Given = ParamSpec("Given")
INK, MUTED, GOOD, BAD = "#1f2933", "#7b8794", "#0b6e4f", "#9b2226"
_LOCK = threading.Lock()  # the only one: all that draws takes it


def alone(draw: Callable[Given, str]) -> Callable[Given, str]:
    """Whatever draws, one at a time in the whole process; nothing that is drawn alone may draw another so."""

    @wraps(draw)
    def locked(*args: Given.args, **kwargs: Given.kwargs) -> str:
        with _LOCK:
            return draw(*args, **kwargs)

    return locked


def figure(height: float, width: float = 7.2) -> tuple[Any, Any]:
    """A figure and its axes, in inches."""
    import matplotlib as mpl  # a third of a second: only whoever draws pays for it
    from matplotlib.figure import Figure  # not pyplot, which keeps figures in a global list

    mpl.rcParams.update(
        {
            "font.size": 9,
            "font.family": "sans-serif",
            "svg.fonttype": "none",
            "axes.edgecolor": MUTED,
            "svg.hashsalt": "autograder",
        }
    )
    made = Figure(figsize=(width, height), layout="constrained")
    return made, made.subplots()


def svg(made: Any) -> str:
    """The figure as text, the same every time."""
    out = io.StringIO()
    made.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def speedups(axis: Any) -> None:
    """A log axis of speedups with numbers on it: decades alone may all lie outside."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(
        LogLocator(subs=(1.0, 2.0, 5.0))
    )  # less than two of these: it takes what a linear axis would
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}×"))
    axis.set_minor_formatter(NullFormatter())
