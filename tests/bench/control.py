"""How often a disturbance takes a tier that a program deserves, without and with a control beside it.

    python tests/bench/control.py a04_heat_plate assignments/a04_heat_plate/solutions/numba_fused.py --gradings 12

A quiet machine says how fast PROGRAM is; a tier is put a little below that, so that PROGRAM deserves it. Then a neighbour burns
the other cores and memory bandwidth in bursts, and PROGRAM is graded for that tier, in turn without a control and with one: a
copy of itself, started anew. Each tier that is lost is a false verdict; with a control it should be open or won instead. Last, a
program that does not deserve the tier (the same, with a tier as far above) must lose it, or be left open, and never win it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from autograder.api import Assignment, Node, Options, Submission, load, receive
from autograder.domain.assignment import Tier
from autograder.domain.grade import CriterionResult
from autograder.engine.planted import neighbour

COURSE = Path(__file__).resolve().parents[2] / "assignments"
QUIET = 3


def asked(assignment: Assignment, criterion: str, threshold: float, *, controlled: bool) -> Assignment:
    """The same assignment with one tier, and with the program itself as a control or without any."""
    changed = [
        replace(c, tiers=(Tier(threshold, c.points),), control="itself.py" if controlled else "")
        for c in assignment.criteria
        if c.id == criterion
    ]
    others = [c for c in assignment.criteria if c.id != criterion]
    return replace(assignment, criteria=(*others, *changed))


@contextmanager
def borrowed(slug: str, program: Path) -> Iterator[tuple[Assignment, Submission]]:
    """A copy of the folder in which PROGRAM is among the solutions."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / slug
        shutil.copytree(COURSE / slug, copy)
        shutil.copyfile(program, copy / "solutions" / "itself.py")
        assignment = load(copy)
        yield assignment, receive(program, assignment.limits.submission_kb)


def word(result: CriterionResult) -> str:
    """What became of the one tier."""
    if result.duel is None or not result.duel.tiers:
        return str(result.verdict)
    return "open" if result.duel.inconclusive else {"pass": "won", "fail": "lost"}[result.duel.tiers[0].decision]


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assignment")
    parser.add_argument("program", type=Path)
    parser.add_argument("--criterion", default="speed")
    parser.add_argument("--gradings", type=int, default=12, help="of each kind")
    parser.add_argument(
        "--share",
        type=float,
        default=0.08,
        help="how far below the estimate the deserved tier lies, and the other above",
    )
    parser.add_argument("--quiet", action="store_true", help="no neighbour, to see what the machine does by itself")
    given = parser.parse_args()
    with borrowed(given.assignment, given.program) as (assignment, submission), Node(Options()) as node:

        def graded(threshold: float, *, controlled: bool) -> CriterionResult:
            made = asked(assignment, given.criterion, threshold, controlled=controlled)
            return node.grade(made, submission, only=given.criterion).criteria[0]

        first = [graded(1e-3, controlled=False) for _ in range(QUIET)]
        speeds = sorted(r.duel.speedup for r in first if r.duel is not None)
        assert len(speeds) == QUIET, [r.sentence for r in first]
        speed = speeds[QUIET // 2]
        print(
            f"quiet: {given.program.name} has {speed:.3f} of the reference's speed ({speeds[0]:.3f} to {speeds[-1]:.3f})"
        )
        kinds = [(1 - given.share, False), (1 - given.share, True), (1 + given.share, True)]
        found: dict[tuple[float, bool], list[CriterionResult]] = {kind: [] for kind in kinds}
        with nullcontext() if given.quiet else neighbour(node.slots(assignment)[-1]):
            for _ in range(given.gradings):
                for share, controlled in kinds:
                    result = graded(share * speed, controlled=controlled)
                    found[share, controlled].append(result)
                    print(
                        f"{share:g} {'with' if controlled else 'without'}: {word(result)}. {result.sentence}",
                        file=sys.stderr,
                    )
        print(
            "| tier | control | won | lost | open | other | speed measured, least to most |\n| --- | --- | --- | --- | --- | --- | --- |"
        )
        for (share, controlled), results in found.items():
            tally = Counter(map(word, results))
            other = sum(n for what, n in tally.items() if what not in ("won", "lost", "open"))
            measured = sorted(r.duel.speedup for r in results if r.duel is not None)
            span = f"{measured[0]:.3f} to {measured[-1]:.3f}" if measured else ""
            counts = " | ".join(str(n) for n in (tally["won"], tally["lost"], tally["open"], other))
            print(f"| {share:g} of its speed | {'itself' if controlled else 'none'} | {counts} | {span} |")


if __name__ == "__main__":
    main()
