"""Whether a machine is fit to time: a duel of a kernel against itself, by the code that grades."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from autograder.domain.measurement import Round
from autograder.engine.node import Node
from autograder.measure.fitness import Fitness, Item
from autograder.measure.statistics import interval, median

KERNEL_S = 0.02
ROUNDS, LEAST = 40, 24  # half of them may be dropped, and an interval needs twelve
NOISE_WARN, NOISE_REFUSE = 0.05, 0.20
BIAS_REFUSE = 0.025  # half the guard band: a node that favours one side by more would decide tiers by itself


def floor(node: Node, rounds: int = ROUNDS, gpu: str = "") -> Item:
    """The noise floor of this machine, or of one of its GPUs.

    Raises:
        SandboxError, MachineError: no engine, or it failed.
    """
    with node.bench(KERNEL_S, gpu) as bench:
        found = judge(bench.trace(1.0, rounds))
    return replace(found, name=f"GPU {gpu[:12]}: {found.name}") if gpu else found


def judge(trace: Sequence[Round]) -> Item:
    """What an A/A trace says of the machine it was recorded on."""
    kept = [r.ratio for r in trace if not r.dropped]
    rounds, dropped = len(trace), len(trace) - len(kept)
    if len(kept) < rounds / 2:
        reason = next(r.dropped for r in trace if r.dropped)
        return Item("noise floor", Fitness.REFUSE, f"{dropped} of {rounds} rounds were disturbed: {reason}")
    # noise is what rounds of one launch differ by; that launches differ from each other, duels answer with more of them
    own = {
        p: median([r.ratio for r in trace if r.pair == p and not r.dropped])
        for p in {r.pair for r in trace if not r.dropped}
    }
    middle = median(kept)
    spread = 1.4826 * median([abs(r.ratio / own[r.pair] - 1) for r in trace if not r.dropped])
    low, high = interval(kept, 0.005)
    words = (
        f"A/A duel {middle:.3f}× (99.5 % interval {low:.3f} to {high:.3f}), pair noise {spread:.1%}, "
        f"{dropped} of {rounds} rounds dropped"
    )
    unbiased = low <= 1 <= high
    slightly = low <= 1 + BIAS_REFUSE and 1 - BIAS_REFUSE <= high < math.inf
    if not (spread <= NOISE_REFUSE and slightly):
        return Item("noise floor", Fitness.REFUSE, words)
    return Item("noise floor", Fitness.GOOD if spread <= NOISE_WARN and unbiased else Fitness.WARN, words)
