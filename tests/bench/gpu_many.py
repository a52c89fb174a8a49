"""Solutions, mutants and attacks of the GPU assignments, many times over, on one GPU in little time.

    python tests/bench/gpu_many.py a13_gpu_advection a14_gpu_scan --times 10 --seconds 400 --log many.jsonl

`autograder course validate FOLDER --times 10 --sandbox subprocess` shows the same, one grading after another, in hours. Here gradings stand
side by side, and take turns on the GPU call by call (`one_gpu_for_many.py` says which rules differ). A mutant is graded
whole once, and then for the criteria that it missed, in turn, until one catches it. What a log of an earlier run holds of the same bytes is not graded
again; what does not begin within --seconds, or before Ctrl-C, is left for the next run. All are graded once before any is graded twice.
Nothing here is isolated.
What is timed in whole arrays of a12 fills a GPU: `--at-most a12_gpu_network=3` for 139 GiB.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from autograder.api import Node, Options, Submission, load
from autograder.cli.validation import BY_TIME
from autograder.course.load import find
from autograder.course.mutants import mutants
from autograder.domain.assignment import Assignment
from autograder.domain.grade import CriterionResult, Grade
from autograder.domain.measurement import DuelOutcome
from autograder.domain.submission import digest
from autograder.domain.verdict import Verdict
from autograder.engine import worker
from autograder.errors import AutograderError
from autograder.measure.gpu import present
from autograder.sandbox.process import NotIsolated
from tests.bench import one_gpu_for_many

MOST_FAILURES = 30
ATTACKS = "attacks"  # in the place of an assignment's name
DEAD = {Verdict.WRONG_ANSWER, Verdict.NOT_FINITE, Verdict.WORK_LEFT_RUNNING}


@dataclass(slots=True)
class Program:
    """Something to be graded again and again.

    Attributes:
        dies_by: the verdict, or `full marks`, or `gains nothing`.
        found: one row for each grading so far.
        asked: how many there are with those that wait or run.
    """

    assignment: Assignment
    name: str
    source: bytes
    dies_by: str
    found: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0

    @property
    def key(self) -> str:
        """Its name in the log."""
        return f"{self.assignment.slug}/{self.name}"

    @property
    def sha256(self) -> str:
        """Of its bytes: an edited program is another one."""
        return digest({"solution.py": self.source})

    @property
    def references(self) -> Path:
        """Where its kernel lies."""
        return self.assignment.folder.parents[1] / "reference"

    @property
    def kind(self) -> str:
        """Solutions, slow ones, and others."""
        return "solutions" if self.dies_by == "full marks" else "slow" if self.dies_by in BY_TIME else "mutants"

    @property
    def timed(self) -> bool:
        """Whether a duel is part of it, which takes a GPU's memory for several processes."""
        return self.kind != "mutants"

    @property
    def turns(self) -> tuple[str, ...]:
        """Criteria to be graded for until one catches it; empty text is a whole grading."""
        first = self.found[0] if self.found else {}
        return tuple(first.get("where", ())) or ("",)

    @property
    def rank(self) -> tuple[int, int]:
        """Who comes first: everybody once, then everybody twice; in each round whatever takes long first."""
        return (self.asked, ("solutions", "slow", "mutants").index(self.kind))

    def kept(self, grade: Grade) -> bool:
        """Whether the grade is what was promised."""
        verdicts = [c.verdict for c in grade.criteria]
        if self.dies_by == "full marks":
            return set(verdicts) == {Verdict.PASSED}
        if self.dies_by in ("gains nothing", "dies or gains nothing"):
            duel = grade.criteria[-1].duel
            as_ever = verdicts == [Verdict.PASSED, Verdict.PASSED, Verdict.TOO_SLOW]
            gained = not as_ever or duel is None or not 0.9 < duel.speedup < 1.1
            return not gained or (self.dies_by != "gains nothing" and bool(DEAD & set(verdicts)))
        return bool(hits(self.dies_by, grade))


def hits(dies_by: str, grade: Grade) -> list[str]:
    """Criteria that were missed by that verdict."""
    return [c.id for c in grade.criteria if c.verdict == dies_by and c.points < c.max_points]


def said(duel: DuelOutcome) -> dict[str, Any]:
    """A duel's figures for the log."""
    return {
        "speedup": round(duel.speedup, 4), "rounds": len(duel.rounds), "dropped": sum(bool(r.dropped) for r in duel.rounds),
        "reference_ms": round(duel.reference_s * 1e3, 3), "empty_ms": round(duel.empty_s * 1e3, 3),
    }  # fmt: skip


def details(criterion: CriterionResult) -> str:
    """For staff: what checks said."""
    return "; ".join(c["detail"] for c in criterion.evidence.get("checks", ()) if c["detail"])[:300]


def programs(name: str) -> Iterator[Program]:
    """Of an assignment, or the attacks."""
    if name == ATTACKS:
        from tests.escape import test_gpu as attacks

        work = load(attacks.COURSE)
        for what, source in attacks.GAINS_NOTHING.items():
            yield Program(work, what, (attacks.PLAIN + source).encode(), "gains nothing")
        for what, source in attacks.LATE.items():
            yield Program(work, f"late: {what}", (attacks.PLAIN + source).encode(), "dies or gains nothing")
        for what, (verdict, source) in attacks.DIES.items():
            if verdict is not Verdict.WORK_LEFT_RUNNING:  # it would be in everybody's way
                yield Program(work, what, (attacks.PLAIN + source).encode(), str(verdict))
        return
    work = load(find(name))
    for path in sorted((work.folder / "solutions").glob("*.py")):
        yield Program(work, path.name, path.read_bytes(), "full marks")
    for mutant in mutants(work):
        yield Program(work, mutant.name, mutant.source.encode(), str(mutant.dies_by))


class Campaign:
    """Workers that take what comes first."""

    def __init__(self, everybody: list[Program], options: argparse.Namespace) -> None:
        self.options, self.begun = options, time.monotonic()
        self.lock, self.waiting = threading.Lock(), list[tuple[tuple[int, int], int, Program]]()
        self.count, self.failures, self.running, self.stopped = 0, 0, list[Program](), threading.Event()
        for program in everybody:
            program.asked = len(program.found)
            self.push(program)
        gpus = (options.gpu,) * options.at_once
        self.nodes = {
            r: Node(Options(kind="subprocess", gpus=gpus, references=r)) for r in {p.references for p in everybody}
        }

    def push(self, program: Program) -> None:
        """As often as is still to do; a mutant once, until it is known what catches it."""
        known = bool(program.found) or program.dies_by == "full marks"
        while program.asked < (self.options.times if known else 1):
            self.waiting.append((program.rank, self.count, program))
            self.count, program.asked = self.count + 1, program.asked + 1

    def pull(self) -> Program | None:
        """The next; nothing when none waits, or time is up."""
        with self.lock:
            found = None if self.late else min((e for e in self.waiting if self.room_for(e[2])), default=None)
            if found is None:
                return None
            self.waiting.remove(found)
            self.running.append(found[2])
            return found[2]

    def room_for(self, program: Program) -> bool:
        """Whether fewer of its assignment's are timed at this moment than may be."""
        slug = program.assignment.slug
        beside = sum(p.timed and p.assignment.slug == slug for p in self.running)
        return not program.timed or beside < self.options.at_most.get(slug, len(self.options.guests))

    @property
    def late(self) -> bool:
        """Whether nothing may begin any more."""
        return self.stopped.is_set() or time.monotonic() - self.begun > self.options.seconds

    def work(self, core: int) -> None:
        """One worker's life; what others have under way may bring more."""
        while not self.late:
            program = self.pull()
            if program is None:
                if not self.running and not self.waiting:
                    return
                time.sleep(0.1)
                continue
            try:
                row = self.grade(program, core)
            except Exception as error:  # noqa: BLE001  # a campaign goes on
                row = {"key": program.key, "sha256": program.sha256, "problem": f"{type(error).__name__}: {error}"}
            with self.lock:
                self.running.remove(program)
                if "problem" in row or row["ours"]:
                    program.asked -= 1
                    self.failures += 1
                else:
                    program.found.append(row)
                self.note(row)
                if self.failures < MOST_FAILURES:
                    self.push(program)

    def grade(self, program: Program, core: int) -> dict[str, Any]:
        """One row of the log."""
        files = {"solution.py": program.source}
        submission = Submission(program.name, files, program.sha256)
        begun = time.monotonic()
        for criterion in program.turns:
            grade = self.nodes[program.references].grade(program.assignment, submission, only=criterion, cores=(core,))
            if not grade.engine.get("many"):
                raise AutograderError(
                    "the judge kept the rules for one tenant: one_gpu_for_many.py was not imported ahead"
                )
            if program.kept(grade):
                break
        duels = [c.duel for c in grade.criteria if c.duel is not None]
        missed = [
            f"{c.id}: {c.verdict} {c.sentence} {details(c)}" for c in grade.criteria if c.verdict is not Verdict.PASSED
        ]
        kept = program.kept(grade)
        return {
            "key": program.key, "sha256": program.sha256, "dies_by": program.dies_by, "kept": kept, "ours": grade.ours,
            "where": hits(program.dies_by, grade), "verdicts": {c.id: str(c.verdict) for c in grade.criteria},
            "at": round(begun - self.begun, 1), "s": round(time.monotonic() - begun, 1), "duels": list(map(said, duels)),
            "why": "" if kept else " | ".join(missed)[:600],
        }  # fmt: skip

    def note(self, row: dict[str, Any]) -> None:
        """To the log and the terminal."""
        if self.options.log is not None:
            with self.options.log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(row) + "\n")
        duels = " ".join(f"{d['speedup']:.3g}×/{d['rounds']}" for d in row.get("duels", ()))
        mark = "✗" if not row.get("kept") else "✓"
        words = row.get("problem") or row.get("why") or ""
        print(
            f"{time.monotonic() - self.begun:6.1f} s {mark} {row['key']} {row.get('s', 0)} s {duels} {words[:300]}",
            flush=True,
        )

    def run(self) -> None:
        """Until all is done, time is up, or somebody interrupts it; what has begun is seen to its end."""
        workers = [threading.Thread(target=self.work, args=(c,)) for c in self.options.guests]
        try:
            for w in workers:
                w.start()
            for w in workers:
                w.join()
        finally:
            self.stopped.set()
            for w in filter(threading.Thread.is_alive, workers):
                w.join()
            for node in self.nodes.values():
                node.close()


def earlier(log: Path) -> list[dict[str, Any]]:
    """Rows of earlier runs; a last line that was never finished is taken out of the file, or the next row would end it."""
    whole, newline, rest = log.read_bytes().rpartition(b"\n")
    if rest:
        print(f"{log}: the last line is half of a row, and was taken out")
        log.write_bytes(whole + newline)
    return [json.loads(line) for line in whole.splitlines()]


def remember(everybody: list[Program], log: Path) -> None:
    """What earlier runs found of the same bytes."""
    known = {(p.key, p.sha256): p for p in everybody}
    for row in earlier(log):
        program = known.get((row["key"], row.get("sha256")))
        if program is not None and "problem" not in row and not row["ours"]:
            program.found.append(row)


def table(everybody: list[Program], times: int) -> Iterator[str]:
    """Markdown: what was shown of each assignment, and what not."""
    yield f"| | solutions with full marks | mutants and attacks that died | fewer than {times} gradings |"
    yield "| --- | --- | --- | --- |"
    by_slug: dict[str, list[Program]] = defaultdict(list)
    for program in everybody:
        by_slug[program.assignment.slug].append(program)
    for slug, found in by_slug.items():
        good, bad = ([p for p in found if (p.dies_by == "full marks") == wanted] for wanted in (True, False))
        sums = [
            f"{sum(r['kept'] for p in group for r in p.found)} of {sum(len(p.found) for p in group)}"
            for group in (good, bad)
        ]
        short = ", ".join(f"{p.name} ({len(p.found)})" for p in found if len(p.found) < times)
        yield f"| {slug} | {sums[0]} | {sums[1]} | {short or 'none'} |"
    for program in everybody:
        lived = [r for r in program.found if not r["kept"]]
        if lived:
            yield f"- {program.key}: {len(program.found) - len(lived)} of {len(program.found)} as promised; {lived[0]['why']}"


def limit(words: str) -> tuple[str, int]:
    """NAME=N."""
    name, _, number = words.partition("=")
    return name, int(number)


def main() -> int:
    """Grades and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assignments", nargs="+", help=f"names of folders, or {ATTACKS}")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1e9, help="no grading begins later")
    parser.add_argument("--at-once", type=int, default=max(len(os.sched_getaffinity(0)) * 5 // 8, 1))
    parser.add_argument(
        "--only",
        default="",
        help="solutions, mutants (that need no timing), slow ones, or names (a12_gpu_network/in_place), with commas between",
    )
    parser.add_argument("--leave-out", default="", help="names, with commas between")
    parser.add_argument("--log", type=Path, help="a row of JSON for each grading")
    parser.add_argument(
        "--at-most", type=limit, action="append", default=[], metavar="NAME=N",
        help="of that assignment no more are timed at once",
    )  # fmt: skip
    parser.add_argument("--gpu", default=next(iter(present()), ""))
    options = parser.parse_args()
    options.at_most = dict(options.at_most)
    if not options.gpu:
        print("no GPU answers")
        return 1
    cores = sorted(os.sched_getaffinity(0))
    options.guests = cores[: options.at_once]
    wanted, unwanted = (set(filter(None, words.split(","))) for words in (options.only, options.leave_out))
    everybody = [p for name in options.assignments for p in programs(name)]
    everybody = [
        p for p in everybody if not unwanted & {p.name, p.key} and (not wanted or wanted & {p.name, p.key, p.kind})
    ]
    if options.log is not None and options.log.exists():
        remember(everybody, options.log)
    warnings.simplefilter("ignore", NotIsolated)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[one_gpu_for_many.LOCK] = f"{folder}/gpu.lock"
        os.environ[one_gpu_for_many.JUDGES] = ",".join(map(str, cores[options.at_once :] or cores))
        one_gpu_for_many.on_judges_cores()
        worker.PRELOAD.append("tests.bench.one_gpu_for_many")
        Campaign(everybody, options).run()
    print("\n".join(table(everybody, options.times)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
