"""Every sentence and mark that the service's pages share."""

from __future__ import annotations

from typing import Any

# state → (mark, words, colour class); the mark and the words carry the meaning, the colour only helps
STATES = {
    "queued": ("…", "waiting in the queue", "ours"),
    "running": ("▶", "being graded", "ours"),
    "graded": ("✓", "graded", "passed"),
    "waiting-for-hardware": ("…", "waiting for a machine with the right hardware", "ours"),
    "needs-staff": ("!", "with the course staff", "ours"),
    "refused": ("✗", "refused", "student"),
}

_OURS = ("…", "ours")
VERDICT_MARKS = {
    "passed": ("✓", "passed"),
    "waiting-for-hardware": _OURS,
    "inconclusive": _OURS,
    "grader-failed": _OURS,
}
UNDECIDED = frozenset(v for v, mark in VERDICT_MARKS.items() if mark is _OURS)
# what costs no token; a part that waits for hardware is still to be graded for the one that was paid
OURS = UNDECIDED - {"waiting-for-hardware"}

NOT_FOUND = "There is no such thing here, or it is not yours."
SLOW_DOWN = "You have used up your {what} for now; the next one is yours in {wait}. Nothing was taken in."
TOO_LARGE = "This is larger than {limit} KiB, which is the most that is taken; remove data files and outputs."
CLOSED = "'{slug}' closed for you on {when}; nothing was taken in. Tries still work; the course's staff can give you an extension."
BY_PEOPLE = "Our grader failed, not you; the course's staff have decided on the points."
UNDATED = (
    "The course's calendar cannot be read, so nobody can say what is due. Nothing is taken in to be graded until the course's "
    "staff have mended it; hand it in again then. Tries still work."
)
STORED_NOT = "We could not store this; it was not taken in and costs you nothing. Submit it again in a minute."


def duration(seconds: float) -> str:
    """So many seconds, as people say it."""
    whole = max(1, round(seconds))
    if whole < 90:
        return f"{whole} s"
    return f"{round(whole / 60)} min" if whole < 5400 else f"{round(whole / 3600)} h"


def progress(news: dict[str, Any], titles: dict[str, str]) -> str:
    """One piece of news as a sentence."""
    phase = news.get("phase", "")
    title = titles.get(str(news.get("criterion", "")), str(news.get("criterion", "")))
    match phase:
        case "queued" | "waiting":
            ahead = int(news.get("position", 0) or 0)
            return "You are next." if ahead == 0 else f"{ahead} before you in the queue."
        case "running" | "leased":
            return "A machine has taken your submission."
        case "load":
            return "Your code is being loaded in a fresh container."
        case "check":
            return f"Checking: {title}."
        case "duel":
            words = f"Dueling: {title}, round {news.get('rounds', 0)}"
            speedup, interval = news.get("speedup"), news.get("interval")
            if isinstance(speedup, (int, float)):
                words += f", speedup so far {speedup:.3g}×"
            if isinstance(interval, (list, tuple)) and all(isinstance(b, (int, float)) for b in interval):
                words += f" (between {interval[0]:.3g}× and {interval[1]:.3g}×)"
            return words + "."
        case "retry":
            return "Something failed on our side; it is tried again and costs you nothing."
        case "recorded":
            return "Graded."
        case _:
            return "Working."


CELLS_LATER = "no grading machine had a quiet moment for it yet; what was asked for goes on, so ask again later"
CELLS_FAILED = "it failed on our side, and will be tried again when it is asked for in some minutes"
