"""Plots of a duel as SVG text: rounds, interval against tiers, scaling curve. Colour never carries meaning alone."""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from autograder.domain.measurement import Control, Decision, DuelOutcome
from autograder.domain.project import TOLERANCE, Measured, Standing
from autograder.measure.statistics import interval

Drawn = TypeVar("Drawn")
LABEL_SHARE = 0.12  # of an axis: what a label needs, on a phone too
_LOCK = threading.Lock()
_INK, _MUTED, _GOOD, _BAD = "#1f2933", "#7b8794", "#0b6e4f", "#9b2226"
_MARKERS = "os^Dv"  # of process pairs: filled, and told apart without colour


def _figure(height: float, width: float = 7.2) -> tuple[Any, Any]:
    import matplotlib as mpl  # a third of a second: only whoever draws pays for it
    from matplotlib.figure import Figure  # not pyplot, which keeps figures in a global list

    mpl.rcParams.update(
        {
            "font.size": 9,
            "font.family": "sans-serif",
            "svg.fonttype": "none",
            "axes.edgecolor": _MUTED,
            "svg.hashsalt": "autograder",
        }
    )
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _svg(figure: Any) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def _alone(draw: Callable[[Drawn], str]) -> Callable[[Drawn], str]:
    """Matplotlib's fonts are shared between threads, and the service draws in many."""

    @wraps(draw)
    def locked(drawn: Drawn) -> str:
        with _LOCK:
            return draw(drawn)

    return locked


def _levels(values: Sequence[float], span: float) -> list[int]:
    """Where labels at these values (of a log axis) must stand so that none covers its neighbour: 0 is the line nearest.

    Args:
        values: positive, ascending.
        span: width of the axis in factors of e.
    """
    last: dict[int, float] = {}
    levels = []
    for value in values:
        here = math.log(value)
        level = next((k for k in range(len(values)) if here - last.get(k, -math.inf) > LABEL_SHARE * span), 0)
        last[level] = here
        levels.append(level)
    return levels


@_alone
def rounds(duel: DuelOutcome) -> str:
    """Every round's ratio, the interval as it narrowed, and the tiers."""
    figure, axes = _figure(2.9)
    counted = duel.counted
    ratios = [r.ratio for r in counted]
    bounds = [interval(ratios[:n], 1 - duel.level) for n in range(1, len(ratios) + 1)]
    steps = [n for n, (low, high) in enumerate(bounds, start=1) if low > 0 and high < math.inf]
    if steps:
        axes.fill_between(
            steps,
            [bounds[n - 1][0] for n in steps],
            [bounds[n - 1][1] for n in steps],
            color="#9fb3c8",
            alpha=0.45,
            label=f"{duel.level:.1%} interval",
            linewidth=0,
        )
    for pair in sorted({r.pair for r in counted}):
        xs = [i for i, r in enumerate(counted, start=1) if r.pair == pair]
        axes.plot(
            xs,
            [ratios[i - 1] for i in xs],
            _MARKERS[pair % len(_MARKERS)],
            color=_INK,
            markersize=3.5,
            label=f"rounds of process pair {pair + 1}",
        )
    shown = [t for t in duel.tiers if min(ratios) / 2.5 < t.threshold < max(ratios) * 2.5]
    span = (
        math.log(max([*ratios, *(t.threshold for t in shown)]) / min([*ratios, *(t.threshold for t in shown)])) or 1.0
    )
    for tier, level in zip(shown, _levels([t.threshold for t in shown], span), strict=True):
        good = tier.decision is Decision.PASS
        word = {"pass": "passed", "fail": "missed", "undecided": "open"}[tier.decision]
        axes.axhline(tier.threshold, color=_GOOD if good else _BAD, linestyle="-" if good else "--", linewidth=1.2)
        axes.annotate(
            f"{tier.threshold:g}× {word}",
            (1.0, tier.threshold),
            xycoords=("axes fraction", "data"),
            xytext=(-4 - 80 * level, 2),
            textcoords="offset points",
            ha="right",
            color=_GOOD if good else _BAD,
        )
    _round_axes(axes, ratios, len(ratios))
    return _svg(figure)


def _round_axes(axes: Any, ratios: Sequence[float], rounds: int) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_xlabel("round")
    axes.set_ylabel("speedup against the reference")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}×"))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda v, _: f"{v:.2g}×" if max(ratios) / min(ratios) < 4 else ""))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(0.5, max(rounds, 12) + 0.5)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=3, frameon=False)


@_alone
def control(found: Control) -> str:
    """The rounds in which a known program played, too: its ratios, the submission's, and the tiers in question."""
    figure, axes = _figure(2.6)
    counted = found.counted
    numbers = range(1, len(counted) + 1)
    axes.plot(numbers, [r.control for r in counted], "^", color=_MUTED, markersize=5, label="the known program")
    axes.plot(numbers, [r.ratio for r in counted], "o", color=_INK, markersize=3.5, label="this submission")
    for threshold in found.thresholds:
        axes.axhline(threshold, color=_BAD, linestyle="--", linewidth=1.2)
        axes.annotate(
            f"{threshold:g}×", (1.0, threshold), xycoords=("axes fraction", "data"), xytext=(-4, 2),
            textcoords="offset points", ha="right", color=_BAD,
        )  # fmt: skip
    _round_axes(axes, [x for r in counted for x in (r.ratio, r.control)], len(counted))
    return _svg(figure)


@_alone
def tiers(duel: DuelOutcome) -> str:
    """The interval against all thresholds, on one line."""
    low, high = duel.interval
    ends = [low, high, duel.speedup, *(t.threshold for t in duel.tiers)]
    finite = [e for e in ends if 0 < e < math.inf]
    left, right = min(finite) * 0.8, max(finite) * 1.25
    levels = _levels([t.threshold for t in duel.tiers], math.log(right / left))
    figure, axes = _figure(1.15 + 0.3 * max(levels, default=0))
    if low > 0 and high < math.inf:
        axes.plot([low, high], [0, 0], color=_INK, linewidth=6, solid_capstyle="butt")
    axes.annotate(
        f"{duel.speedup:.3g}×", (duel.speedup, 0), xytext=(0, -14), textcoords="offset points", ha="center", fontsize=8
    )
    axes.plot([duel.speedup], [0], "o", color="white", markeredgecolor=_INK, markersize=8)
    for tier, level in zip(duel.tiers, levels, strict=True):
        good = tier.decision is Decision.PASS
        axes.axvline(tier.threshold, color=_GOOD if good else _BAD, linestyle="-" if good else "--")
        axes.annotate(
            f"{tier.threshold:g}×\n{tier.points:g} pt",
            (tier.threshold, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2 + 22 * level),
            textcoords="offset points",
            ha="center",
            va="bottom",
            color=_GOOD if good else _BAD,
            fontsize=8,
        )
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}×"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(-1.2, 1)
    axes.set_yticks([])
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    return _svg(figure)


@_alone
def scaling(duel: DuelOutcome) -> str:
    """Speedup over the reference on one worker, against the ideal."""
    figure, axes = _figure(2.6)
    workers = sorted({1, duel.workers, *(p for p, _ in duel.curve)})
    axes.plot(workers, workers, ":", color=_MUTED, label="ideal")
    axes.plot([1, duel.workers], [1, duel.canary], "s--", color=_MUTED, label="reference kernel")
    curve = sorted({*duel.curve, (duel.workers, duel.speedup)})
    axes.plot([p for p, _ in curve], [s for _, s in curve], "o-", color=_INK, label="this submission")
    axes.set_xticks(workers)
    axes.set_xlabel("workers")
    axes.set_ylabel("speedup over the\nreference on one worker")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return _svg(figure)


@_alone
def claims(found: Sequence[Measured]) -> str:
    """A line for each claim: what was claimed with its tolerance, what was measured with its interval."""
    return _claims(found, 7.2, f"speedup; grey: claimed ± {TOLERANCE:.0%}, line: measured (99.5 % interval)")


@_alone
def claims_on_a_card(found: Sequence[Measured]) -> str:
    """The same for half the width of a page, or a phone."""
    return _claims(found, 4.4, f"grey: claimed ± {TOLERANCE:.0%}, line: measured")


def _claims(found: Sequence[Measured], width: float, label: str) -> str:
    figure, axes = _figure(0.75 + 0.42 * len(found), width)
    ends: list[float] = []
    for row, m in enumerate(reversed(found)):
        low, high = (1 - TOLERANCE) * m.claimed, (1 + TOLERANCE) * m.claimed
        axes.plot([low, high], [row, row], color="#cbd2d9", linewidth=13, solid_capstyle="butt", zorder=1)
        axes.plot([m.claimed], [row], "|", color=_MUTED, markersize=13, zorder=2)
        ends += [low, high]
        colour = _GOOD if m.standing is Standing.VERIFIED else _BAD
        if math.isfinite(m.speedup):
            left, right = max(m.interval[0], m.speedup / 10), min(m.interval[1], m.speedup * 10)
            axes.plot([left, right], [row, row], color=colour, linewidth=4, solid_capstyle="butt", zorder=3)
            axes.plot([m.speedup], [row], "o", color="white", markeredgecolor=colour, markersize=7, zorder=4)
            ends += [left, right]
        axes.annotate(
            m.standing, (1.0, row), xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
            va="center", color=colour,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(min(ends) / 1.3, max(ends) * 1.3)
    axes.set_ylim(-0.6, len(found) - 0.4)
    axes.set_yticks(range(len(found)), [m.claim for m in reversed(found)])
    axes.set_xlabel(label)
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}×"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    for side in ("right", "top"):
        axes.spines[side].set_visible(False)
    return _svg(figure)
