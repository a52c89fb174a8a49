"""A hundred slots and ten thousand submissions on simulated nodes: how close to ideal, how late, how busy the ledger.

    python tests/bench/nodes.py [--submissions 10000] [--nodes 25] [--cores 4] [--mean 5] [--speedup 10] [--lose 0.33]

Nodes are real Dask workers (threads of a few processes), gradings sleep for a log-normal time with the given mean divided
by `--speedup`, so that an evening fits into minutes; the ledger and the dispatcher do in that time what they would do in
the real evening, `--speedup` times faster. Midway a share of the nodes is killed; one at least must stay.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sqlalchemy import func, select

from autograder.api import Cluster, Dispatcher, Ledger, worker_environment
from autograder.engine.task import Outcome, Parcel
from autograder.ledger.models import Attempt, GradeRow, Submission
from tests.crash.victim import simulated
from tests.crash.world import free_port, until

ROOT = Path(__file__).resolve().parents[2]


def sleeper(parcel: Parcel) -> Outcome:
    """As long as the submission says."""
    return simulated(parcel, float(parcel.content.split()[1]))


def main() -> None:
    """Runs it and prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("submissions", 10_000), ("nodes", 25), ("cores", 4)):
        parser.add_argument(f"--{name}", type=int, default=value)
    for name, number in (("mean", 5.0), ("speedup", 10.0), ("lose", 0.33)):
        parser.add_argument(f"--{name}", type=float, default=number)
    parser.add_argument("--database", default="")
    o = parser.parse_args()
    if min(o.submissions, o.nodes, o.cores) < 1 or min(o.mean, o.speedup) <= 0:
        parser.error("--submissions, --nodes, --cores, --mean and --speedup must be positive")
    if not 0 <= o.lose < 1:
        parser.error("--lose must be at least 0 and less than 1: without any node nothing would be graded")
    os.chdir(ROOT / "tests" / "fixtures")
    chance = random.Random(1)  # a simulation
    sigma = 0.6
    times = [chance.lognormvariate(math.log(o.mean / o.speedup) - sigma**2 / 2, sigma) for _ in range(o.submissions)]
    environment = os.environ | worker_environment() | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    port = free_port()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    processes: list[subprocess.Popen[bytes]] = []

    def start(program: str, *arguments: str) -> None:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *arguments, "--no-dashboard"]
        processes.append(subprocess.Popen(command, **quiet))  # type: ignore[call-overload]

    try:
        start("dask_scheduler", "--host", "127.0.0.1", "--port", str(port))
        time.sleep(2)
        for i in range(o.nodes):
            slots = ("--nthreads", str(o.cores), "--resources", f"cores={o.cores}")
            start("dask_worker", f"tcp://127.0.0.1:{port}", "--no-nanny", "--name", f"n{i}", *slots)
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(evening(o, times, Path(folder), f"tcp://127.0.0.1:{port}", processes)))
    finally:
        for process in processes:
            process.kill()
            process.wait()


def evening(
    o: argparse.Namespace, times: list[float], folder: Path, scheduler: str, processes: list[subprocess.Popen[bytes]]
) -> dict[str, object]:
    """Submit all, start the dispatcher, kill a share midway, wait, count."""
    ledger = Ledger.open(o.database, folder)
    begun = time.perf_counter()
    for i, seconds in enumerate(times):
        content = f"# {seconds:.4f} {i}\n".encode()
        ledger.submit(
            course="c", assignment="t_basic", student=f"s{i % 500}", name="s.py", content=content, channel="api"
        )
    accept_s = time.perf_counter() - begun
    with Dispatcher(ledger, Cluster(scheduler), task=sleeper) as dispatcher:
        until(lambda: len(dispatcher.nodes()) == o.nodes, 120, "all nodes")
        slots, begun, cpu_s = o.nodes * o.cores, time.perf_counter(), time.process_time()
        lost = int(o.lose * o.nodes)
        half = None
        while (counts := ledger.counts())["graded"] < o.submissions:
            if half is None and lost and counts["graded"] >= o.submissions / 2:
                half = time.perf_counter() - begun
                for process in processes[1 : 1 + lost]:
                    process.send_signal(signal.SIGKILL)
            time.sleep(0.5)
        wall, cpu_s = time.perf_counter() - begun, time.process_time() - cpu_s
    with ledger.database.reads() as session:
        twice = session.scalar(select(func.count()).select_from(GradeRow)) - o.submissions
        attempts = session.scalar(select(func.count()).select_from(Attempt))
        first = session.execute(
            select(Attempt.begun_at, Attempt.ended_at, Submission.name)
            .join(Submission, Submission.id == Attempt.submission)
            .where(Attempt.outcome == "graded")
        ).all()
    busy = sum((e - b).total_seconds() for b, e, _ in first)
    work = sum(times)
    capacity = slots * (half or wall) + (slots - lost * o.cores) * (wall - (half or wall))
    ledger.verify_audit()
    ledger.close()
    return {
        "submissions": o.submissions, "slots": slots, "lost_nodes": lost, "accepted_per_s": round(o.submissions / accept_s, 1),
        "wall_s": round(wall, 1), "graded_per_s": round(o.submissions / wall, 1), "work_s": round(work, 1),
        "efficiency": round(work / capacity, 3), "overhead_per_grading_ms": round(1000 * (busy - work) / o.submissions, 1),
        "graded_twice": twice, "attempts": attempts, "dispatcher_cpu_share": round(cpu_s / wall, 3),
        "as_if_mean_grading_s": o.mean, "speedup_of_time": o.speedup,
    }  # fmt: skip


if __name__ == "__main__":
    main()
