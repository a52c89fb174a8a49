"""What a call costs beside its kernel, and what an empty call says of it.

    python tests/bench/empty_calls.py --kernel-ms 5 --kernel-ms 20 [--gpu] [--sandbox subprocess]

A duel takes the time of an empty call off every timed one. Here the kernels of `verify-verdicts` tell their own time (by the
device's events on a GPU), so that what a timed call costs beside it is known, and is put beside the empty call's time: with
one guest asked again and again, with one guest of each pair in turn, and as in a duel. Blocks come in random order.
"""

from __future__ import annotations

import argparse
import random
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from autograder.api import Node, Options
from autograder.domain.device import real
from autograder.domain.verdict import Verdict
from autograder.engine.planted import Bench
from autograder.judge.proxy import Actor
from autograder.sandbox.process import NotIsolated

BLOCKS, CALLS, FIRST = 4, 16, 4


def beside(bench: Bench, actor: Actor, kernel_s: float, *, empty: bool) -> float:
    """Seconds of one call that are not the kernel's, or not spent waiting."""
    function, x = bench.kernel.functions[1], bench.kernel.draw()
    steps = round(kernel_s / bench.per_step_s)
    outcome = actor.empty(function, (x, 1), {}, kernel_s) if empty else actor.call(function, (x, steps))
    assert outcome.verdict is Verdict.PASSED, (outcome.verdict, outcome.note)
    return outcome.elapsed_s - (0.0 if empty else float(outcome.outputs[1]))


def in_order(bench: Bench, who: str) -> list[Actor]:
    """Who is asked in one block."""
    if who == "one guest":
        return [bench.pairs[0][0]] * CALLS
    turns = [bench.pairs[n % len(bench.pairs)] for n in range(CALLS)]
    return [a for pair in turns for a in (random.sample(pair, 2) if who == "a duel" else pair[:1])]


def measured(bench: Bench, kernel_s: float) -> dict[tuple[str, str], list[float]]:
    """Of every kind of block, sorted."""
    kinds = [("timed", who) for who in ("one guest", "pairs in turn", "a duel")]
    kinds += [("empty", who) for who in ("one guest", "pairs in turn", "after a call")]
    found: dict[tuple[str, str], list[float]] = {kind: [] for kind in kinds}
    for kind in random.sample(kinds * BLOCKS, len(kinds) * BLOCKS):
        actors = in_order(bench, kind[1])
        seconds = []
        for n, a in enumerate(actors):
            if kind[1] == "after a call":
                beside(bench, bench.pairs[(n + 1) % len(bench.pairs)][0], kernel_s, empty=False)
            seconds.append(beside(bench, a, kernel_s, empty=kind[0] == "empty"))
        found[kind] += seconds[FIRST:]
    return {kind: sorted(seconds) for kind, seconds in found.items()}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernel-ms", type=float, action="append", help="may be repeated; 5 and 20 without it")
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--sandbox", choices=("docker", "subprocess"), default="docker")
    parser.add_argument("--pairs", type=int, default=2)
    o = parser.parse_args()
    warnings.simplefilter("ignore", NotIsolated)
    options = Options(kind=o.sandbox, pairs=o.pairs)
    gpu = next(filter(real, options.gpus), "") if o.gpu else ""
    if o.gpu and not gpu:
        parser.error("--gpu: no GPU answers (see autograder node check)")
    print("| kernel | calls | who | beside the kernel: quartiles, ms |\n| --- | --- | --- | --- |")
    with Node(options) as node, node.bench(0.005, gpu) as bench:
        assert bench.room is not None
        with bench.room.exclusive():
            for ms in o.kernel_ms or (5.0, 20.0):
                found = measured(bench, ms / 1e3)
                for (calls, who), seconds in found.items():
                    quartiles = " ".join(f"{seconds[len(seconds) * q // 4] * 1e3:.3f}" for q in (1, 2, 3))
                    print(f"| {ms:g} ms | {calls} | {who} | {quartiles} |")
                for who in ("one guest", "pairs in turn", "after a call"):
                    said, true = (found[key][len(found[key]) // 2] for key in (("empty", who), ("timed", "a duel")))
                    print(f"| {ms:g} ms | off by | {who} | {(true - said) * 1e5 / ms:+.2f} % |", flush=True)


if __name__ == "__main__":
    main()
