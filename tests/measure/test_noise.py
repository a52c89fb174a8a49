"""Signals that a student cannot cause."""

import multiprocessing
import os
import random
import time

from autograder.domain.measurement import Decision, Round
from autograder.measure.noise import CoreWatch, complaint
from autograder.measure.rules import Draws, ours, tally, together
from autograder.measure.statistics import Rule


def test_a_quiet_round_is_kept_and_a_disturbed_one_dropped():
    """The thresholds are shares of the round, and never below the counters' own grain."""
    assert complaint(0.0, 0.0, 0.04, 1e-4) == ""
    assert complaint(0.001, 0.0, 0.04, 1e-4) == ""
    assert "other processes" in complaint(0.010, 0.0, 0.04, 1e-4)
    assert complaint(0.010, 0.0, 0.04, 0.02) == ""
    assert "hypervisor" in complaint(0.0, 0.010, 0.04, 1e-4)


def _spin(core: int) -> None:
    os.sched_setaffinity(0, {core})
    until = time.monotonic() + 5
    while time.monotonic() < until:
        pass


def test_somebody_elses_cpu_time_is_seen():
    """A process that spins on the watched core shows in the counters."""
    core = max(os.sched_getaffinity(0))
    watch = CoreWatch((core,))
    process = multiprocessing.get_context("fork").Process(target=_spin, args=(core,))
    process.start()
    time.sleep(0.1)
    before = watch.read()
    time.sleep(0.3)
    after = watch.read()
    process.kill()
    process.join()
    watch.close()
    assert after.busy_s - before.busy_s > 0.1


def test_rules_on_one_trace_are_tallied():
    """A clean trace at 1.25 passes every time, one at 0.8 fails, one full of drops is inconclusive."""
    rule, chance = Rule(), random.Random(1)
    for ratio, decision in ((1.25, "passed"), (0.8, "failed")):
        trace = [Round(ratio * t, t, ratio, p, False) for t in (0.02, 0.021, 0.0205, 0.0202) for p in range(5)]
        counted = tally(ratio, trace, 20, rule, chance, 2)
        assert getattr(counted, decision) == 20 and max(counted.rounds) < 30
    dropped = [Round(1.0, 1.0, 1.0, p, False, "noise") for p in (0, 1)] * 20
    assert ours(Draws(dropped, chance), rule, 2, 2)[0] is Decision.UNDECIDED


def test_launches_of_one_ratio_are_added_up():
    """Decisions are summed, and an outlying launch does not move the estimate."""
    rule, chance = Rule(), random.Random(1)
    parts = [
        tally(1.0, [Round(r, 1.0, r, p, False) for _ in range(8) for p in (0, 1)], 10, rule, chance, 2)
        for r in (1.0, 1.01, 0.5)
    ]
    whole = together(parts)
    assert (whole.decisions, whole.passed, whole.failed, whole.estimate) == (30, 20, 10, 1.0)
    assert len(whole.rounds) == 30 and [p.failed for p in whole.parts] == [0, 0, 10]
