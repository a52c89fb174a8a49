"""Plots of a duel as SVG text: rounds, interval against tiers, scaling curve. Colour never carries meaning alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from autograder.domain.measurement import Control, Decision, DuelOutcome
from autograder.domain.project import TOLERANCE, Measured, Standing
from autograder.measure.statistics import interval
from autograder.report.drawing import BAD, GOOD, INK, MUTED, alone, figure, speedups, svg

LABEL_SHARE = 0.12  # of an axis: what a label needs, on a phone too
_MARKERS = "os^Dv"  # of process pairs: filled, and told apart without colour
_DECIDED = {Decision.PASS: "passed", Decision.FAIL: "missed", Decision.UNDECIDED: "open"}


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


@alone
def rounds(duel: DuelOutcome, against: str) -> str:
    """Every round's ratio, the interval as it narrowed, and the tiers.

    Args:
        against: what was timed beside the submission, in words.
    """
    drawn, axes = figure(2.9)
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
            color=INK,
            markersize=3.5,
            label=f"rounds of process pair {pair + 1}",
        )
    _tier_lines(axes, ratios, [(t.threshold, t.decision) for t in duel.tiers])
    _round_axes(axes, len(ratios), against)
    return svg(drawn)


def _tier_lines(axes: Any, ratios: Sequence[float], decided: Sequence[tuple[float, Decision]]) -> None:
    """A line for each tier that is near, and a word: won, lost, or open."""
    shown = [(t, d) for t, d in decided if min(ratios) / 2.5 < t < max(ratios) * 2.5]
    ends = [*ratios, *(t for t, _ in shown)]
    span = math.log(max(ends) / min(ends)) or 1.0
    for (threshold, decision), level in zip(shown, _levels([t for t, _ in shown], span), strict=True):
        good = decision is Decision.PASS
        colour = GOOD if good else BAD
        axes.axhline(threshold, color=colour, linestyle="-" if good else "--", linewidth=1.2)
        axes.annotate(
            f"{threshold:g}× {_DECIDED[decision]}", (1.0, threshold), xycoords=("axes fraction", "data"),
            xytext=(-4 - 80 * level, 2), textcoords="offset points", ha="right", color=colour,
        )  # fmt: skip


def _round_axes(axes: Any, rounds: int, against: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("round")
    axes.set_ylabel(f"speedup against\n{against}")
    axes.set_yscale("log")
    speedups(axes.yaxis)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(0.5, max(rounds, 12) + 0.5)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=3, frameon=False)


@alone
def control(found: Control, against: str) -> str:
    """The rounds in which a known program played, too: its ratios, the submission's, and what became of the tiers in question."""
    drawn, axes = figure(2.6)
    counted = found.counted
    numbers = range(1, len(counted) + 1)
    axes.plot(numbers, [r.control for r in counted], "^", color=MUTED, markersize=5, label="the known program")
    axes.plot(numbers, [r.ratio for r in counted], "o", color=INK, markersize=3.5, label="this submission")
    ratios = [x for r in counted for x in (r.ratio, r.control)]
    _tier_lines(axes, ratios, list(zip(found.thresholds, found.decisions, strict=True)))
    _round_axes(axes, len(counted), against)
    return svg(drawn)


@alone
def tiers(duel: DuelOutcome) -> str:
    """The interval against all thresholds, on one line."""
    low, high = duel.interval
    ends = [low, high, duel.speedup, *(t.threshold for t in duel.tiers)]
    finite = [e for e in ends if 0 < e < math.inf]
    left, right = min(finite) * 0.8, max(finite) * 1.25
    levels = _levels([t.threshold for t in duel.tiers], math.log(right / left))
    drawn, axes = figure(1.15 + 0.3 * max(levels, default=0))
    if low > 0 and high < math.inf:
        axes.plot([low, high], [0, 0], color=INK, linewidth=6, solid_capstyle="butt")
    axes.annotate(
        f"{duel.speedup:.3g}×", (duel.speedup, 0), xytext=(0, -14), textcoords="offset points", ha="center", fontsize=8
    )
    axes.plot([duel.speedup], [0], "o", color="white", markeredgecolor=INK, markersize=8)
    for tier, level in zip(duel.tiers, levels, strict=True):
        good = tier.decision is Decision.PASS
        axes.axvline(tier.threshold, color=GOOD if good else BAD, linestyle="-" if good else "--")
        axes.annotate(
            f"{tier.threshold:g}×\n{tier.points:g} pt",
            (tier.threshold, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2 + 22 * level),
            textcoords="offset points",
            ha="center",
            va="bottom",
            color=GOOD if good else BAD,
            fontsize=8,
        )
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    speedups(axes.xaxis)
    axes.set_ylim(-1.2, 1)
    axes.set_yticks([])
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    return svg(drawn)


@alone
def scaling(duel: DuelOutcome) -> str:
    """Speedup over the reference on one worker, against the ideal."""
    drawn, axes = figure(2.6)
    workers = sorted({1, duel.workers, *(p for p, _ in duel.curve)})
    axes.plot(workers, workers, ":", color=MUTED, label="ideal")
    axes.plot([1, duel.workers], [1, duel.canary], "s--", color=MUTED, label="reference kernel")
    curve = sorted({*duel.curve, (duel.workers, duel.speedup)})
    axes.plot([p for p, _ in curve], [s for _, s in curve], "o-", color=INK, label="this submission")
    axes.set_xticks(workers)
    axes.set_xlabel("workers")
    axes.set_ylabel("speedup over the\nreference on one worker")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return svg(drawn)


@alone
def claims(found: Sequence[Measured]) -> str:
    """A line for each claim: what was claimed with its tolerance, what was measured with its interval."""
    return _claims(found, 7.2, f"speedup; grey: claimed ± {TOLERANCE:.0%}, line: measured (99.5 % interval)")


@alone
def claims_on_a_card(found: Sequence[Measured]) -> str:
    """The same for half the width of a page, or a phone."""
    return _claims(found, 4.4, f"grey: claimed ± {TOLERANCE:.0%}, line: measured")


def _claims(found: Sequence[Measured], width: float, label: str) -> str:
    drawn, axes = figure(0.75 + 0.42 * len(found), width)
    ends: list[float] = []
    for row, m in enumerate(reversed(found)):
        low, high = (1 - TOLERANCE) * m.claimed, (1 + TOLERANCE) * m.claimed
        axes.plot([low, high], [row, row], color="#cbd2d9", linewidth=13, solid_capstyle="butt", zorder=1)
        axes.plot([m.claimed], [row], "|", color=MUTED, markersize=13, zorder=2)
        ends += [low, high]
        colour = GOOD if m.standing is Standing.VERIFIED else BAD
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
    speedups(axes.xaxis)
    for side in ("right", "top"):
        axes.spines[side].set_visible(False)
    return svg(drawn)
