"""Plots of a class as SVG, and the reports' pages. Colour never carries meaning alone; every plot has a table beside it.

A plot takes a third of a second, and only one is drawn at a time: each is made once. Whoever waits for one holds none of
the service's threads, which take submissions in.
"""

from __future__ import annotations

from asyncio import get_running_loop
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor

from fastapi import Response

from autograder.api import Entry, Grade, drawing, page
from hub.service.access import Desk
from hub.service.identity import Person

_BAR = "#486581"
_DRAWING = ThreadPoolExecutor(1, thread_name_prefix="drawing")
_MOST = 256


async def drawn(answer: Callable[[], Response]) -> Response:
    """An answer that needs drawing, from the one thread that draws."""
    return await get_running_loop().run_in_executor(_DRAWING, answer)


class _Made:
    """The newest few results by key, for the one thread that draws."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, str] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], str]) -> str:
        if key not in self._kept:
            self._kept[key] = make()
            if len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


_MADE = _Made()


def report_of(desk: Desk, person: Person, entry: Entry) -> str | None:
    """The verdict as a page for this person, or None while there is none."""
    body = desk.ledger.grade_json(entry.id)
    if body is None:
        return None
    key = ("report", entry.sha256, entry.id, entry.graded_at, person.staff)
    return _MADE.get(key, lambda: page(Grade.from_json(body), staff=person.staff))


def bins(values: list[float], most: float, number: int = 10) -> list[tuple[float, float, int]]:
    """(from, to, how many) over 0 … most; the last holds its upper end."""
    width = (most or 1.0) / number
    counted = [0] * number
    for value in values:
        counted[min(max(int(value / width), 0), number - 1)] += 1
    return [(i * width, (i + 1) * width, n) for i, n in enumerate(counted)]


def scores(values: list[float], most: float) -> str:
    """How many students have how many points."""

    @drawing.alone
    def make() -> str:
        from matplotlib.ticker import MaxNLocator

        figure, axes = drawing.figure(2.6)
        rows = bins(values, most)
        for low, high, n in rows:
            axes.bar((low + high) / 2, n, width=(high - low) * 0.92, color=_BAR)
            if n:
                axes.annotate(
                    str(n),
                    ((low + high) / 2, n),
                    xytext=(0, 2),
                    textcoords="offset points",
                    ha="center",
                    color=drawing.INK,
                )
        axes.set_xlim(0, most or 1.0)
        axes.set_xlabel("points")
        axes.set_ylabel("students")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.margins(y=0.15)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        return drawing.svg(figure)

    return _MADE.get(("scores", tuple(values), most), make)


def speedups(found: dict[str, list[tuple[int, float]]], tiers: dict[str, list[float]], against: dict[str, str]) -> str:
    """One line per timed criterion: every student's speedup as a dot, the published tiers as dashes.

    Args:
        found: title → (submission, speedup).
        tiers: title → thresholds; of some titles.
        against: title → what was timed beside the submissions, in words.
    """

    @drawing.alone
    def make() -> str:
        figure, axes = drawing.figure(1.0 + 0.75 * max(len(found), 1))
        for row, (title, points) in enumerate(found.items()):
            # dots of equal height hide one another: spread them, the same way every time
            heights = [row + (i * 0.618_034 % 1 - 0.5) * 0.5 for i, _ in enumerate(points)]
            axes.plot(
                [v for _, v in points], heights, "o", color=_BAR, alpha=0.7, markersize=5, markeredgecolor=drawing.INK
            )
            for tier in tiers.get(title, []):
                axes.plot([tier, tier], [row - 0.4, row + 0.4], "--", color=drawing.INK, linewidth=1.2)
                axes.annotate(f"{tier:g}×", (tier, row + 0.4), ha="center", va="bottom", fontsize=8, color=drawing.INK)
        names = [f"{t if len(t) <= 34 else t[:33] + '…'}\nagainst {against[t]}" for t in found]
        axes.set_yticks(range(len(found)), names)
        axes.set_xscale("log")
        axes.set_ylim(-0.7, max(len(found), 1) - 0.3)
        axes.set_xlabel("speedup")
        drawing.speedups(axes.xaxis)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        return drawing.svg(figure)

    frozen = tuple((t, against[t], tuple(p)) for t, p in found.items())
    return _MADE.get(("speedups", frozen, tuple((t, tuple(v)) for t, v in tiers.items())), make)
