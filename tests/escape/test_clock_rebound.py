"""Rebinds `time.perf_counter` to a clock that stands still: an in-process clock sees no time pass.

Stopped by RC: the clock that counts is in the judge's process. The slow program stays `too-slow`.
"""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
import time
time.perf_counter = lambda: 0.0
time.perf_counter_ns = lambda: 0
time.time = lambda: 0.0
"""
)


def test_the_judge_keeps_its_own_clock(arena):
    """Too slow, as it is."""
    arena.fails(SOURCE, "too-slow")


def test_a_clock_inside_is_fooled(arena):
    """Where the grader times in the student's process, the attack passes."""
    arena.fools(
        SOURCE + "\n_n = [0.0]\ndef _tick():\n    _n[0] += 1e-3\n    return _n[0]\ntime.perf_counter = _tick\n",
        "clock-inside",
    )
