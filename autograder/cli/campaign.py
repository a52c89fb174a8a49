"""`autograder verify-verdicts`: the measured error rates of the decision rule on this node."""

from __future__ import annotations

import contextlib
import json
import random
from dataclasses import asdict

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from autograder.engine.node import Node
from autograder.engine.options import Options
from autograder.engine.planted import neighbour
from autograder.measure.rotation import MOST_PAIRS
from autograder.measure.rules import Tally, tally, together
from autograder.measure.statistics import Rule, binomial_bounds, median

RATIOS = (0.90, 0.95, 1.00, 1.05, 1.25)


@click.command("verify-verdicts")
@click.option("--decisions", default=2000, show_default=True, help="Decisions in all, spread over the planted ratios.")
@click.option("--rounds", default=400, show_default=True, help="Recorded rounds per planted ratio.")
@click.option(
    "--launches", default=4, show_default=True, help="Process pairs are started anew so often for each planted ratio."
)
@click.option("--kernel-ms", default=20.0, show_default=True, help="Length of one call.")
@click.option(
    "--noisy/--quiet", default=False, help="Beside a process that burns the other cores and memory bandwidth in bursts."
)
@click.option("--truth/--no-truth", default=True, help="Also compare estimates from outside with in-process timing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify_verdicts(
    decisions: int, rounds: int, launches: int, kernel_ms: float, noisy: bool, truth: bool, as_json: bool
) -> None:
    """A kernel against itself, with a planted share of the same work, at a threshold of 1.

    Rounds of five process pairs are recorded live by the code that grades; decisions are then drawn from the trace of one launch at a time, in
    blocks of consecutive rounds, by the rule that grades: two pairs first, more where they are at odds. "Best of 5" and
    "mean of 30" get draws of the same two pairs.
    """
    rule, chance, console = Rule(), random.SystemRandom(), Console(stderr=True)
    tallies: list[Tally] = []
    truths: list[tuple[float, float, float]] = []
    each, share = -(-rounds // launches), -(-decisions // (len(RATIOS) * launches))
    with Node(Options(pairs=MOST_PAIRS)) as node, Progress(console=console, disable=as_json) as progress:
        task = progress.add_task("recording rounds", total=each * launches * len(RATIOS))
        if truth:
            with node.bench(kernel_ms / 1e3) as bench:
                truths = [(t, *bench.truth(t)) for t in (0.02, 0.05, 0.1, 0.2)]
        for ratio in RATIOS:
            parts = []
            for _ in range(launches):
                with (
                    node.bench(kernel_ms / 1e3) as bench,
                    neighbour(bench.cores) if noisy else contextlib.nullcontext(),
                ):
                    trace = bench.trace(ratio, each, lambda: progress.advance(task))
                parts.append(tally(ratio, trace, share, rule, chance, Options().pairs))
            tallies.append(together(parts))
    if as_json:
        click.echo(json.dumps({"noisy": noisy, "tallies": [asdict(t) for t in tallies], "truth": truths}))
    else:
        _show(tallies, truths, rule, noisy=noisy)


def _show(tallies: list[Tally], truths: list[tuple[float, float, float]], rule: Rule, *, noisy: bool) -> None:
    console = Console(width=150)
    table = Table(
        title=f"{sum(t.decisions for t in tallies)} decisions, {'noisy neighbour' if noisy else 'quiet'}, threshold 1, guard band {rule.guard:.0%}",
        title_justify="left",
    )
    for column in (
        "true ratio",
        "estimate",
        "pair noise",
        "dropped",
        "passed",
        "failed",
        "inconclusive",
        "rounds median",
        "p90",
        "best of 5 passes",
        "mean of 30 passes",
    ):
        table.add_column(column, justify="right")
    for t in tallies:
        ordered = sorted(t.rounds)
        table.add_row(
            f"{t.ratio:g}", f"{t.estimate:.4f}", f"{t.spread:.1%}", f"{t.dropped}", _rate(t.passed, t), _rate(t.failed, t), _rate(t.inconclusive, t),
            f"{median(ordered):.0f}", f"{ordered[int(0.9 * len(ordered))]}", f"{t.best_of_5 / t.decisions:.1%}", f"{t.mean_of_30 / t.decisions:.1%}",
        )  # fmt: skip
    console.print(table)
    for line in _errors(tallies, rule):
        console.print(line)
    for wanted, outside, inside in truths:
        console.print(
            f"truth, {wanted * 1e3:.0f} ms kernel: outside {outside * 1e3:.3f} ms, in-process {inside * 1e3:.3f} ms, difference {outside / inside - 1:+.2%}"
        )


def _rate(hits: int, t: Tally) -> str:
    return f"{hits / t.decisions:.1%}"


def _errors(tallies: list[Tally], rule: Rule) -> list[str]:
    kinds: dict[str, tuple[int, int]] = {
        "false passes (true ratio ≤ 0.95)": _sum(
            [(t.passed, t.decisions) for t in tallies if t.ratio <= 1 - rule.guard]
        ),
        "false fails (true ratio ≥ 1)": _sum([(t.failed, t.decisions) for t in tallies if t.ratio >= 1]),
        "inconclusive": _sum([(t.inconclusive, t.decisions) for t in tallies]),
    }
    lines = []
    for name, (hits, n) in kinds.items():
        low, high = binomial_bounds(hits, n)
        lines.append(f"{name}: {hits} of {n} ({hits / n:.2%}; exact 95 % interval {low:.2%} to {high:.2%})")
    return lines


def _sum(pairs: list[tuple[int, int]]) -> tuple[int, int]:
    return sum(p[0] for p in pairs), sum(p[1] for p in pairs)
