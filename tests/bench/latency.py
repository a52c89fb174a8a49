"""From *Submit* to verdict over HTTP on an idle machine, less the time that the submission and the reference ran.

    python tests/bench/latency.py [--assignment a04_heat_plate] [--times 6]

Prints one JSON object; `overhead_s` holds import, JIT and kernel time of nobody: intake, dispatch, containers, checks, recording.
The first grading finds no guests waiting, and is left out of the median; so is one that took more than one lease.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from autograder.cli.remote import Service
from tests.crash.world import ROOT, World


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assignment", default="a04_heat_plate")
    parser.add_argument("--times", type=int, default=6)
    o = parser.parse_args()
    if o.times < 2:
        parser.error("--times must be 2 or more: the first finds no guests waiting, and does not count")
    solution = sorted((ROOT / "assignments" / o.assignment / "solutions").glob("*.py"))[-1]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "w", course=ROOT)
        try:
            world.serve()
            for i in range(o.times):
                file = Path(folder) / "mine.py"
                file.write_bytes(solution.read_bytes() + f"\n# {i}\n".encode())
                with Service(world.url, world.token(f"s{i}")) as service:
                    begun = time.perf_counter()
                    number = service.send(o.assignment, file, "grade")["receipt"]["submission"]
                    receipt_s = time.perf_counter() - begun
                    for _ in service.news(number, 300):
                        pass
                    wall = time.perf_counter() - begun
                time.sleep(3)  # an idle machine has the next guests waiting
                ledger = world.ledger()
                grade, entry = ledger.grade_json(number), ledger.entry(number)
                ledger.close()
                assert grade is not None and entry is not None
                overhead = wall - (grade["wall_s"] - grade["overhead_s"])
                rows.append((receipt_s, wall, overhead, grade["score"], grade["overhead_s"], entry.attempts))
        finally:
            world.close()
    once = [r[2] for r in rows[1:] if r[5] == 1]
    print(
        json.dumps(
            {
                "assignment": o.assignment,
                "receipt_s": [round(r[0], 3) for r in rows],
                "wall_s": [round(r[1], 2) for r in rows],
                "overhead_s": [round(r[2], 2) for r in rows],
                "of_it_on_the_node_s": [round(r[4], 2) for r in rows],
                "median_overhead_s": round(statistics.median(once), 2) if once else None,
                "leases": [r[5] for r in rows],
                "scores": [r[3] for r in rows],
            }
        )
    )


if __name__ == "__main__":
    main()
