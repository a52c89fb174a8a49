"""Deadline night: many students submit at once over HTTP, and everybody is graded in the end.

    python tests/bench/storm.py [--students 300] [--seconds 60] [--database sqlite|postgresql|URL] [--grading 0.1]

Gradings are simulated (they sleep), so that what is measured is intake, ledger and dispatch. Prints one JSON object:
receipts, p50/p99 to a receipt, how long a student's own page takes meanwhile, and what the ledger says in the end.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hub.service.token_identity import TokenIdentity
from tests.crash.world import World, program
from tests.ledger.server import empty_database, running


async def storm(world: World, tokens: dict[str, str], seconds: float) -> tuple[list[float], list[float], int]:
    """Everybody submits once at a random moment; a page is looked at all the while.

    Returns:
        Seconds to each receipt, seconds to each page, and how many had to press the button again.

    Raises:
        ExceptionGroup: somebody got something else than a receipt or a page.
    """
    receipts: list[float] = []
    pages: list[float] = []
    again = 0
    limits = httpx.Limits(max_connections=400, max_keepalive_connections=100)
    async with httpx.AsyncClient(base_url=world.url, timeout=60, limits=limits) as client:

        async def student(name: str) -> None:
            nonlocal again
            await asyncio.sleep(random.uniform(0, seconds))  # a simulation
            content, begun = program(name), time.perf_counter()
            while True:
                answer = await client.post(
                    "api/assignments/t_basic/submissions", params={"filename": "s.py"}, content=content,
                    headers={"Authorization": f"token {tokens[name]}"},
                )  # fmt: skip
                if answer.status_code == 201:
                    break
                again += 1
                await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))
            receipts.append(time.perf_counter() - begun)
            world.told[answer.json()["receipt"]["id"]] = answer.json()["receipt"] | {"bytes": content}

        async def reader(name: str) -> None:
            session = {"Cookie": f"{TokenIdentity.cookie}={tokens[name]}"}
            while True:
                begun = time.perf_counter()
                answer = await client.get("", headers=session)
                assert answer.status_code == 200 and "</html>" in answer.text, (answer.status_code, answer.text)
                pages.append(time.perf_counter() - begun)
                await asyncio.sleep(0.2)

        async with asyncio.TaskGroup() as group:  # whoever fails ends the evening
            looking = group.create_task(reader(next(iter(tokens))))
            await asyncio.gather(*(student(name) for name in tokens))
            looking.cancel()
    return receipts, pages, again


def percentile(values: list[float], share: float) -> float:
    """In milliseconds."""
    return round(1000 * sorted(values)[min(int(share * len(values)), len(values) - 1)], 1)


def run(folder: Path, database: str, students: int, seconds: float, grading: float) -> dict[str, object]:
    """The whole evening; raises AssertionError if anything was lost."""
    world = World(folder, database)
    try:
        tokens = {f"s{i}": world.token(f"s{i}") for i in range(students)}
        world.serve(simulate=grading)
        begun = time.perf_counter()
        receipts, pages, again = asyncio.run(storm(world, tokens, seconds))
        intake_s = time.perf_counter() - begun
        world.all_graded(60 + 3 * students * grading)
        graded_s = time.perf_counter() - begun
        found = world.compare(score=len)
        return {
            "database": "postgresql" if database else "sqlite", "students": students, "within_s": seconds,
            "receipts": found["receipts"], "attempts": found["attempts"], "again": again, "intake_s": round(intake_s, 1),
            "receipt_ms": {"p50": percentile(receipts, 0.5), "p99": percentile(receipts, 0.99), "max": percentile(receipts, 1)},
            "page_ms": {"p50": percentile(pages, 0.5), "p99": percentile(pages, 0.99)} if pages else {},
            "receipts_per_s": round(len(receipts) / intake_s, 1), "all_graded_s": round(graded_s, 1),
            "mean_receipt_ms": round(1000 * statistics.mean(receipts), 1),
        }  # fmt: skip
    finally:
        world.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--grading", type=float, default=0.1)
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql (a server of its own), or a URL")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        url = "" if options.database == "sqlite" else options.database
        if url == "postgresql":
            url = empty_database(stack.enter_context(running()))
        found = run(Path(folder) / "w", url, options.students, options.seconds, options.grading)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
