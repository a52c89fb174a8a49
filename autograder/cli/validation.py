"""What `course validate` proves about one folder."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from autograder.api import Assignment, Grade, Node, Options, Submission, receive
from autograder.cli.promise import Promise, Tally, nothing_secret
from autograder.course.mutants import Mutant, mutants, needs_gpu
from autograder.course.probes import probes
from autograder.course.version import version
from autograder.domain.assignment import Kind
from autograder.domain.grade import CriterionResult
from autograder.domain.verdict import Verdict
from autograder.report.terminal import plain

KERNEL_S = 0.020
EMPTY_CALLS = 3
PATIENCE, QUICK_PATIENCE = 3, 1
QUICK_MUTANTS = 2
STARTER = "the starter"
QUICK_PROBES = (STARTER, "one precision lower")
T = TypeVar("T")
Say = Callable[[str], None]
BY_TIME = (Verdict.TOO_SLOW, Verdict.TIMED_OUT, Verdict.WORK_LEFT_RUNNING)


@dataclass(frozen=True, slots=True)
class Probe:
    """A submission made by machine, which must fail."""

    name: str
    submission: Submission

    def fails(self, assignment: Assignment, grade: Grade) -> Promise:
        """It may meet a criterion by chance of its kind (zeros are bounded); it must earn nothing for speed and fail somewhere."""
        lost = any(c.points < c.max_points for c in _missed(assignment, grade)) and not any(
            c.duel for c in grade.criteria
        )
        kept = grade.score == 0 if self.name == STARTER else lost
        return Promise(f"{self.name} fails", kept, f"{grade.score:g} of {grade.max_score:g}")


def _open(what: str) -> Promise:
    """One that this machine can neither keep nor break."""
    return Promise(what, True, "not shown: needs a machine with a GPU", open=True)


def validate(
    assignment: Assignment, console: Console, *, quick: bool = False, times: int = 1, sandbox: str = "docker"
) -> Tally:
    """Checks every promise; prints one line each.

    Args:
        times: how often each solution and each mutant is graded; a promise is kept when it is kept every time. A mutant
            is graded whole once, and then for the criteria that it missed, in turn, until one catches it; one that is
            timed out for the first of them, and then whole if that was over in time.
    """
    console.print(f"[bold]{assignment.slug}[/] {plain(assignment.title)}")
    begun, tally = time.monotonic(), Tally(assignment.slug)
    solutions = sorted((assignment.folder / "solutions").glob("*.py"))
    with Node(Options(kind=sandbox, pairs=1 if quick else 2)) as node, console.status("grading …") as status:
        for promise in _promises(assignment, node, solutions, quick=quick, times=times, say=status.update):
            tally.count(promise)
            console.print(
                f"  {_mark(promise)} {promise.what} [dim]{plain(promise.why)}[/]",
                highlight=False,
            )
    if quick:
        console.print(
            "  [dim]quick: one process pair per duel (two where that is too slow), one of the solutions; no zeros, ones or "
            f"inputs handed back; {QUICK_MUTANTS} mutants at most, to the first failed check that is worth points, none that dies by too-slow, timed-out or "
            "work-left-running[/]"
        )
    tally.seconds = time.monotonic() - begun
    return tally


def _mark(promise: Promise) -> str:
    return "[yellow]…[/]" if promise.open else "[green]✓[/]" if promise.kept else "[red]✗[/]"


def _promises(
    assignment: Assignment, node: Node, solutions: list[Path], *, quick: bool, times: int, say: Say
) -> Iterator[Promise]:
    yield nothing_secret(assignment)
    yield Promise("at least two solutions", len(solutions) >= 2, f"{len(solutions)} in solutions/")
    for c in (c for c in assignment.criteria if c.control):
        yield Promise(f"{c.id}: its control is a solution", assignment.control(c.control) in solutions, c.control)
    bare = assignment.kind is Kind.GPU and not node.options.gpus
    here = [p for p in solutions if not (bare and needs_gpu(p.read_text(encoding="utf-8")))]
    yield from (_open(f"solution {p.name} earns full marks") for p in solutions if p not in here)
    for path in _one_of(assignment, here) if quick else here:
        rounds = []
        for i in range(times):
            say(f"solution {path.name}, {i + 1} of {times}")
            rounds.append(list(_solution(assignment, node, path)))
        yield from _merged(rounds)
    all_mutants = mutants(assignment)
    yield Promise("mutants exist", bool(all_mutants), f"{len(all_mutants)}")
    shown = [m for m in all_mutants if not (bare and (m.needs_gpu or m.dies_by in BY_TIME))]
    yield from (_open(f"mutant {m.name} dies by {m.dies_by}") for m in all_mutants if m not in shown)
    chosen = _drawn(assignment, shown) if quick else shown
    made = probes(assignment, here[0]) if here else ()
    failing = [Probe(name, submission) for name, submission in made if not quick or name in QUICK_PROBES]
    untimed = [m for m in chosen if m.dies_by not in BY_TIME]
    yield from _side_by_side(assignment, node, [*failing, *untimed], times, say, quick=quick)
    for mutant in (m for m in chosen if m.dies_by in BY_TIME):
        found: list[Promise] = []
        for i in range(times):
            say(f"mutant {mutant.name}, {i + 1} of {times}")
            for criterion in _again(mutant, found):
                died = _dies(mutant, _grade(node, assignment, mutant.submission, only=criterion))
                if died.kept:
                    break
            found.append(died)
        yield from _merged([[p] for p in found])


def _side_by_side(
    assignment: Assignment, node: Node, chosen: Sequence[Probe | Mutant], times: int, say: Say, *, quick: bool = False
) -> Iterator[Promise]:
    """What needs no timing, on all cores: probes once, mutants as often as they are asked; told when the last is done.

    Args:
        quick: to the first check that fails, and whole only where that does not show it.
    """
    found: list[list[Promise]] = [[] for _ in chosen]
    often = [times if isinstance(m, Mutant) else 1 for m in chosen]
    again = [n for n, most in enumerate(often) for _ in range(most - 1)]
    for graded_now in (list(range(len(chosen))), again):
        jobs = [(n, _turns(chosen[n], found[n], quick=quick)) for n in graded_now]
        while jobs:
            alive = []
            for i, grade in node.grade_many(
                assignment,
                [chosen[n].submission for n, _ in jobs],
                only=[turns[0].only for _, turns in jobs],
                brief=[turns[0].brief for _, turns in jobs],
            ):
                n, turns = jobs[i]
                one = chosen[n]
                if grade.ours:
                    grade = _grade(node, assignment, one.submission, only=turns[0].only, brief=turns[0].brief)
                shown = _dies(one, grade) if isinstance(one, Mutant) else one.fails(assignment, grade)
                if turns[1:] and not shown.kept:
                    alive.append((n, turns[1:]))
                    continue
                found[n].append(shown)
                say(f"{one.name}, {len(found[n])} of {often[n]}")
                if len(found[n]) == often[n]:
                    yield from _merged([[p] for p in found[n]])
            jobs = alive


@dataclass(frozen=True, slots=True)
class Turn:
    """How much of a grading: a criterion alone, all up to the first check that fails, or the whole."""

    only: str = ""
    brief: bool = False


def _turns(one: Probe | Mutant, found: list[Promise], *, quick: bool) -> list[Turn]:
    """One after the other, until one shows what is to be shown."""
    if quick and _by_parts(one):
        return [Turn(brief=True), Turn()]
    return [Turn(criterion) for criterion in _again(one, found)]


def _by_parts(one: Probe | Mutant) -> bool:
    """Whether a part of a grading may show what is to be shown: the starter has to miss every criterion."""
    if isinstance(one, Probe):
        return one.name != STARTER
    return one.dies_by is not Verdict.WORK_LEFT_RUNNING


def _again(mutant: Probe | Mutant, found: list[Promise]) -> tuple[str, ...]:
    """Criteria to be graded for until one catches it: those that a first, whole grading missed; "" is a whole grading.

    Each check draws from a seed of its own, so they are a part of a whole grading: what dies here dies there at least as
    often. One alone is not enough: a price may be six deviations off by chance where the scatter of many always shows it.
    Time may be what the whole grading ran out of; who dies by it is graded whole where one criterion was over in time.
    Work is left running by one check and found by another: always whole.
    """
    if not found or not found[0].where or isinstance(mutant, Probe) or not _by_parts(mutant):
        return ("",)
    return (found[0].where[0], "") if mutant.dies_by is Verdict.TIMED_OUT else found[0].where


def _merged(rounds: list[list[Promise]]) -> Iterator[Promise]:
    times = len(rounds)
    for same in zip_longest(*rounds):  # a solution that failed once was not duelled that time
        there = [p for p in same if p is not None]
        broken = [p for p in there if not p.kept]
        shown, good = (broken or there)[0], len(there) - len(broken)
        why = (f"{good} of {times}; " if times > 1 else "") + shown.why
        yield replace(shown, kept=good == times, why=why, good=good, tries=times)


def _one_of(assignment: Assignment, solutions: list[Path]) -> list[Path]:
    """For the quick mode: another one whenever the folder changes."""
    return _by_chance(assignment, solutions, lambda p: p.name)[:1]


def _by_chance(assignment: Assignment, things: list[T], name: Callable[[T], str]) -> list[T]:
    salt = version(assignment, assignment.folder)
    return sorted(things, key=lambda t: hashlib.sha256(f"{salt}{name(t)}".encode()).digest())


def _drawn(assignment: Assignment, everybody: list[Mutant]) -> list[Mutant]:
    """For the quick mode: some of those that need no timing; others are drawn whenever the folder changes."""
    by_chance = _by_chance(assignment, everybody, lambda m: f"{m.name}.py")
    return sorted([m for m in by_chance if m.dies_by not in BY_TIME][:QUICK_MUTANTS], key=lambda m: m.name)


def _grade(
    node: Node, assignment: Assignment, submission: Submission, only: str = "", patience: int | None = None, *,
    brief: bool = False,
) -> Grade:  # fmt: skip
    """A noisy machine is asked again: a promise is broken by a verdict, not by its absence."""
    grade = node.grade(assignment, submission, only=only, brief=brief)
    for _ in range(patience or (QUICK_PATIENCE if node.options.pairs == 1 else PATIENCE)):
        if not grade.ours:
            break
        grade = node.grade(assignment, submission, only=only, brief=brief)
    return grade


def _solution(assignment: Assignment, node: Node, path: Path) -> Iterator[Promise]:
    submission = receive(path, assignment.limits.submission_kb)
    quick, first = node.options.pairs == 1, ""
    grade = node.grade(assignment, submission)
    lost = _missed(assignment, grade)
    if grade.ours and not (quick and all(c.duel for c in lost)):
        grade = _grade(node, assignment, submission)
        lost = _missed(assignment, grade)
    if quick and lost and all(c.duel for c in lost):
        # a launch may be slow for as long as it lives: marks are decided by pairs that must agree, and so is this
        first = f"by one process pair {_speeds(grade)}; by two "
        with Node(replace(node.options, pairs=2)) as whole:
            again = {c.id: _grade(whole, assignment, submission, c.id, QUICK_PATIENCE).criteria[0] for c in lost}
        grade = replace(grade, criteria=tuple(again.get(c.id, c) for c in grade.criteria))
    missed = "; ".join(f"{c.id}: {c.verdict} {c.sentence}" for c in _missed(assignment, grade))
    speeds = _speeds(grade)
    waits = ", ".join(c.id for c in grade.criteria if c.verdict is Verdict.WAITING_FOR_HARDWARE)
    speeds += f"{waits} not shown: needs a machine with a GPU" if waits else ""
    full = not _missed(assignment, grade)
    yield Promise(f"solution {path.name} earns full marks", full, first + (missed or speeds), about="solution")
    for c in grade.criteria:
        if c.duel is not None:
            least = _least_s(assignment, c.duel.empty_s)
            slow = c.duel.reference_s >= least
            yield Promise(
                f"{c.id}: the reference takes {c.duel.reference_s * 1e3:.1f} ms",
                slow,
                "" if slow else f"less than {least * 1e3:.0f} ms",
            )


def _speeds(grade: Grade) -> str:
    return ", ".join(f"{c.id} {c.duel.speedup:.3g}×" for c in grade.criteria if c.duel)


def _least_s(assignment: Assignment, empty_s: float) -> float:
    """How long a reference must take, so that what every call costs does not matter; on a GPU nothing reasonable takes 20 ms."""
    if assignment.kind is Kind.GPU:
        return EMPTY_CALLS * empty_s
    return KERNEL_S * (0.5 if assignment.resources.cores > 1 else 1.0)


def _missed(assignment: Assignment, grade: Grade) -> list[CriterionResult]:
    """Criteria without their full marks; but what is timed may wait for hardware (code that does not load may not)."""
    timed = {c.id for c in assignment.criteria if c.kind.timed}
    may_wait = [c for c in grade.criteria if c.id in timed and c.verdict is Verdict.WAITING_FOR_HARDWARE]
    return [
        c for c in grade.criteria if c not in may_wait and (c.points < c.max_points or c.verdict is not Verdict.PASSED)
    ]


def _dies(mutant: Mutant, grade: Grade) -> Promise:
    hits = [c.id for c in grade.criteria if c.verdict is mutant.dies_by and c.points < c.max_points]
    found = ", ".join(sorted({str(c.verdict) for c in grade.criteria} - {"passed"})) or "full marks"
    why = ", ".join(hits) or f"found: {found}"
    return Promise(f"mutant {mutant.name} dies by {mutant.dies_by}", bool(hits), why, about="mutant", where=tuple(hits))
