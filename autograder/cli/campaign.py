"""`autograder verify-verdicts`: the measured error rates of the decision rule on this node."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict
from operator import attrgetter

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from autograder.cli.choices import SANDBOX
from autograder.domain.device import real
from autograder.engine.kernels import CPU, GPU
from autograder.engine.node import Node
from autograder.engine.options import Options
from autograder.engine.planted import Bench, neighbour
from autograder.measure.rotation import MOST_PAIRS
from autograder.measure.rules import Tally, tally, together
from autograder.measure.statistics import Rule, binomial_bounds, median

TRUTHS_S, TRUTHS_GPU_S = (0.02, 0.05, 0.1, 0.2), (0.005, 0.02, 0.1)
RATIOS = (0.90, 0.95, 1.00, 1.05, 1.25)


@click.command("verify-verdicts")
@click.option(
    "--decisions",
    type=click.IntRange(min=1),
    default=2000,
    show_default=True,
    help="Decisions in all, spread over the planted ratios.",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=400,
    show_default=True,
    help=f"Recorded rounds per planted ratio; {MOST_PAIRS} a launch at least, one for each process pair.",
)
@click.option(
    "--launches",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Process pairs are started anew so often for each planted ratio.",
)
@click.option(
    "--kernel-ms",
    type=click.FloatRange(min=0, min_open=True),
    default=(20.0,),
    show_default=True,
    multiple=True,
    help="Length of one call; several are measured in turn.",
)
@click.option(
    "--noisy/--quiet", default=False, help="Beside a process that burns the other cores and memory bandwidth in bursts."
)
@click.option(
    "--truth/--no-truth", default=True, help="Also compare estimates from outside with the kernel's own clock."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--gpu", is_flag=True, help="The kernel runs on this machine's first GPU.")
@SANDBOX
def verify_verdicts(
    decisions: int, rounds: int, launches: int, kernel_ms: tuple[float, ...], noisy: bool, truth: bool, as_json: bool, gpu: bool,
    sandbox: str,
) -> None:  # fmt: skip
    """A kernel against itself, with a planted share of the same work, at a threshold of 1.

    Rounds of five process pairs are recorded live by the code that grades; decisions are then drawn from the trace of one launch at a time, in
    blocks of consecutive rounds, by the rule that grades: two pairs first, more where they are at odds. "Best of 5" and
    "mean of 30" get draws of the same two pairs. Draws from one trace are not independent, launches are: how many of
    these erred is told with its exact interval.

    The rule is that of a duel's first rounds with all of α_P. A graded criterion with a control has half of α_P there, and
    nobody loses a tier before a second chance beside that control: its false fails are overstated here, its rounds understated.
    """
    rule, chance, console = Rule(), random.SystemRandom(), Console(stderr=True)
    truths: list[tuple[float, float, float]] = []
    each, share = -(-rounds // launches), -(-decisions // (len(RATIOS) * launches))
    if each < MOST_PAIRS:
        raise click.UsageError(
            f"--rounds {rounds}: {each} a launch; {MOST_PAIRS * launches} or more, a round for each of {MOST_PAIRS} process pairs"
        )
    options = Options(kind=sandbox, pairs=MOST_PAIRS)
    device = next(filter(real, options.gpus), "") if gpu else ""
    if gpu and not device:
        raise click.UsageError("--gpu: this machine has no GPU to lend (see autograder node check)")
    parts: dict[tuple[float, float], list[Tally]] = {}
    with Node(options) as node, Progress(console=console, disable=as_json) as progress:
        task = progress.add_task("recording rounds", total=each * launches * len(RATIOS) * len(kernel_ms))
        if truth and noisy:  # the neighbour comes later
            with node.bench(kernel_ms[0] / 1e3, device) as alone:
                truths = _truths(alone)
        for launch, bench, size, ratio in _launches(node, device, kernel_ms, launches, noisy=noisy):
            if truth and not truths:
                truths = _truths(bench)
            trace = bench.trace(ratio, each, lambda: progress.advance(task))
            found = tally(ratio, trace, share, rule, chance, Options().pairs, launch)
            parts.setdefault((size, ratio), []).append(found)
    tallies = {size: [together(of_ratio) for (s, _), of_ratio in parts.items() if s == size] for size in kernel_ms}
    if as_json:
        rows = [{"kernel_ms": s, **asdict(t)} for s, of_size in tallies.items() for t in of_size]
        click.echo(json.dumps({"noisy": noisy, "gpu": device, "tallies": rows, "truth": truths}))
        return
    for size, of_size in tallies.items():
        _show(
            of_size,
            rule,
            f"{device and f'on {device}, '}kernel of {size:g} ms, {'noisy neighbour' if noisy else 'quiet'}",
        )
    clock = (GPU if device else CPU).clock
    for wanted, outside, inside in truths:
        click.echo(
            f"truth, {wanted * 1e3:.0f} ms kernel: outside {outside * 1e3:.3f} ms, by {clock} {inside * 1e3:.3f} ms, "
            f"difference {outside / inside - 1:+.2%}"
        )


def _truths(bench: Bench) -> list[tuple[float, float, float]]:
    """Wanted seconds, those seen from outside, those by the kernel's own clock."""
    return [(t, *bench.truth(t)) for t in (TRUTHS_GPU_S if bench.gpu else TRUTHS_S)]


def _launches(
    node: Node, device: str, sizes: tuple[float, ...], launches: int, *, noisy: bool
) -> Iterator[tuple[int, Bench, float, float]]:
    """Its number, guests, kernel's length and planted ratio: started anew for each ratio; with a GPU, where that takes long, for all at once."""
    grid = [(size, ratio) for size in sizes for ratio in RATIOS]
    numbers = itertools.count()
    for part in [grid] if device else [[g] for g in grid]:
        for launch in itertools.islice(numbers, launches):
            with (
                node.bench(part[0][0] / 1e3, device) as bench,
                neighbour(bench.cores) if noisy else contextlib.nullcontext(),
            ):
                for size, ratio in part:
                    bench.aim(size / 1e3)
                    yield launch, bench, size, ratio


def _show(tallies: list[Tally], rule: Rule, where: str) -> None:
    console = Console(width=150)
    table = Table(
        title=f"{sum(t.decisions for t in tallies)} decisions, {where}, threshold 1, guard band {rule.guard:.0%}",
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


def _rate(hits: int, t: Tally) -> str:
    return f"{hits / t.decisions:.1%}"


def _errors(tallies: list[Tally], rule: Rule) -> list[str]:
    """Of decisions, which are drawn again and again from few traces; and of launches, which are independent of each other."""
    passed, failed, neither = attrgetter("passed"), attrgetter("failed"), attrgetter("inconclusive")
    kinds: list[tuple[str, Callable[[Tally], int], list[Tally]]] = [
        ("false passes (true ratio ≤ 0.95)", passed, [t for t in tallies if t.ratio <= 1 - rule.guard]),
        ("false fails (true ratio ≥ 1)", failed, [t for t in tallies if t.ratio >= 1]),
        ("inconclusive", neither, tallies),
    ]
    lines = []
    for name, hits, of_kind in kinds:
        wrong, n = sum(map(hits, of_kind)), sum(t.decisions for t in of_kind)
        parts = [part for t in of_kind for part in t.parts]
        launches, erred = {p.launch for p in parts}, {p.launch for p in parts if hits(p)}
        low, high = binomial_bounds(len(erred), len(launches))
        lines.append(
            f"{name}: {wrong} of {n} draws ({wrong / n:.2%}; resampled, not independent), in {len(erred)} of {len(launches)} launches "
            f"({len(erred) / len(launches):.0%}; exact 95 % interval {low:.1%} to {high:.1%})"
        )
    return lines
