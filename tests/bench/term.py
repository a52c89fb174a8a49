"""One student hands in everything: how long this machine grades, and where the time goes.

    python tests/bench/term.py [--solution 0]

Every assignment's solution (of that number in alphabetical order) is graded once, one after another. `guests` is the time
in which a submission or a reference had the cores, imports and compilation included; of it `duel` are timed rounds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from autograder.api import Node, Options, all_folders, load, receive

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Grades and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--solution", type=int, default=0)
    options = parser.parse_args()
    table = Table(title="One student's term")
    for column in ("assignment", "points", "wall s", "guests s", "duel s", "rounds", "judge, engine s"):
        table.add_column(column, justify="left" if column == "assignment" else "right")
    sums, lent = [0.0] * 4, Options()
    chosen = [load(f) for f in all_folders(ROOT / "assignments") if not f.name.startswith("_")]
    work = {a.slug: a for a in chosen if a.kind != "gpu" or lent.gpus}
    solutions = {slug: sorted((a.folder / "solutions").glob("*.py")) for slug, a in work.items()}
    fewest = min(map(len, solutions.values()))
    if not 0 <= options.solution < fewest:
        parser.error(f"--solution {options.solution}: every assignment has those from 0 to {fewest - 1}")
    with Node(lent) as node:
        for slug, assignment in work.items():
            path = solutions[slug][options.solution]
            grade = node.grade(assignment, receive(path, assignment.limits.submission_kb))
            rounds = [r for c in grade.criteria if c.duel for r in c.duel.rounds]
            duel_s = sum(r.reference_s + r.submission_s + r.extra_s for r in rounds)
            row = (grade.wall_s, grade.wall_s - grade.overhead_s, duel_s, grade.overhead_s)
            sums = [a + b for a, b in zip(sums, row, strict=True)]
            points = f"{grade.score:g} of {grade.max_score:g}"
            seconds = [f"{s:.1f}" for s in row]
            table.add_row(slug, points, *seconds[:3], str(len(rounds)), seconds[3])
    table.add_row("all", "", *(f"{s:.1f}" for s in sums[:3]), "", f"{sums[3]:.1f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
