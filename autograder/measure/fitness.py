"""Whether a machine is fit for timing: what the operating system says, in words and as data."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from autograder.measure.noise import CoreWatch

SAMPLE_S = 0.5
STEAL_LIMIT = 0.01
FOREIGN_LIMIT = 0.05


class Fitness(StrEnum):
    """How much a finding matters."""

    GOOD = "good"
    WARN = "warn"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Item:
    """One finding and, where it is not good, what to do."""

    name: str
    fitness: Fitness
    words: str


def inspect(cores: tuple[int, ...], root: Path = Path("/")) -> Iterator[Item]:
    """What `/sys` and `/proc` say.

    Args:
        cores: where submissions will run.
        root: for tests, a folder in place of `/`.
    """
    yield _judge_core(cores)
    yield _smt(root)
    yield _governor(root, cores)
    yield _turbo(root)
    yield _pages(root)
    yield _swap(root)
    yield _freezer(root)
    if root == Path("/"):
        yield from _idle(cores)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _judge_core(cores: tuple[int, ...]) -> Item:
    spare = os.sched_getaffinity(0) - set(cores)
    if spare:
        return Item("a core for the judge", Fitness.GOOD, f"core {min(spare)} stays free for the judge")
    return Item(
        "a core for the judge", Fitness.WARN, "every core is leased to guests; the judge will share one of them"
    )


def _smt(root: Path) -> Item:
    if _text(root / "sys/devices/system/cpu/smt/active") == "1":
        return Item(
            "SMT",
            Fitness.WARN,
            "hyper-threads share a core's units: switch SMT off (echo off > /sys/devices/system/cpu/smt/control)",
        )
    return Item("SMT", Fitness.GOOD, "off, or not present")


def _governor(root: Path, cores: tuple[int, ...]) -> Item:
    found = {_text(root / f"sys/devices/system/cpu/cpu{c}/cpufreq/scaling_governor") for c in cores} - {""}
    if found - {"performance"}:
        return Item(
            "frequency governor",
            Fitness.WARN,
            f"{', '.join(sorted(found))}: set it to performance (cpupower frequency-set -g performance)",
        )
    return Item("frequency governor", Fitness.GOOD, "performance" if found else "not visible here (a virtual machine)")


def _turbo(root: Path) -> Item:
    intel, other = (
        _text(root / "sys/devices/system/cpu/intel_pstate/no_turbo"),
        _text(root / "sys/devices/system/cpu/cpufreq/boost"),
    )
    if intel == "0" or other == "1":
        return Item(
            "turbo",
            Fitness.WARN,
            "on: clocks depend on the neighbours' load; duels cope, absolute seconds do not compare",
        )
    return Item("turbo", Fitness.GOOD, "off, or not visible here")


def _pages(root: Path) -> Item:
    setting = _text(root / "sys/kernel/mm/transparent_hugepage/enabled")
    chosen = setting.partition("[")[2].partition("]")[0]
    if chosen == "always":
        return Item(
            "huge pages", Fitness.WARN, "always: page layout differs from process to process; madvise is steadier"
        )
    return Item("huge pages", Fitness.GOOD, chosen or "not visible here")


def _swap(root: Path) -> Item:
    devices = _text(root / "proc/swaps").splitlines()[1:]
    if devices:
        return Item("swap", Fitness.WARN, "on: a guest cannot swap, but its neighbours can (swapoff -a)")
    return Item("swap", Fitness.GOOD, "off")


def _freezer(root: Path) -> Item:
    v1, v2 = root / "sys/fs/cgroup/freezer", root / "sys/fs/cgroup/cgroup.controllers"
    if not (v1.exists() or v2.exists()):
        return Item(
            "cgroup freezer",
            Fitness.REFUSE,
            "neither cgroup v1's freezer nor cgroup v2 is mounted under /sys/fs/cgroup",
        )
    if os.getuid() != 0:
        return Item(
            "cgroup freezer",
            Fitness.WARN,
            "only root may write it: guests are paused through the engine, 100 times slower; a call of a function that is "
            "passed in takes some 40 ms, which count against its caller's limit",
        )
    return Item("cgroup freezer", Fitness.GOOD, "version 1" if v1.exists() else "version 2")


def _idle(cores: tuple[int, ...]) -> Iterator[Item]:
    watch = CoreWatch(cores)
    try:
        before, begun = watch.read(), time.perf_counter()
        time.sleep(SAMPLE_S)
        after, span = watch.read(), (time.perf_counter() - begun) * len(cores)
    finally:
        watch.close()
    busy, steal = (after.busy_s - before.busy_s) / span, (after.steal_s - before.steal_s) / span
    named = f"cores {', '.join(map(str, cores))}"
    if busy > FOREIGN_LIMIT:
        yield Item("idle cores", Fitness.WARN, f"other processes use {busy:.0%} of {named}; rounds will be dropped")
    else:
        yield Item("idle cores", Fitness.GOOD, f"{named} idle ({busy:.1%} used)")
    if steal > STEAL_LIMIT:
        yield Item("steal", Fitness.WARN, f"the hypervisor takes {steal:.1%} of {named}; rounds will be dropped")
    else:
        yield Item("steal", Fitness.GOOD, f"{steal:.1%}")
