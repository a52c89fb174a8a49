"""Guests ahead of need: bounded by the machine, not by how many kinds of submission it has ever seen."""

from __future__ import annotations

import os
import time

import pytest

from autograder.engine.options import Options
from autograder.engine.planted import Bench
from autograder.engine.pool import KEPT, Pool
from autograder.engine.warm import Warm
from autograder.errors import SandboxError
from autograder.judge.run import step_aside
from autograder.measure.room import Room
from autograder.sandbox.process import NotIsolated, ProcessSandbox
from autograder.sandbox.profile import Profile

pytestmark = pytest.mark.filterwarnings(f"ignore::{NotIsolated.__module__}.{NotIsolated.__qualname__}")


def profile(memory_mb: int, core: int = 0) -> Profile:
    """What a claim of a project might ask for."""
    return Profile("", (core,), memory_mb, 32, 16, ())


def test_profiles_that_nobody_asks_for_again_are_let_go(tmp_path):
    """Ten kinds on one core leave the newest few, which are still warm; another core's are not touched."""
    started = []

    class Seen(ProcessSandbox):
        def start(self, profile, label):
            started.append(super().start(profile, label))
            return started[-1]

    pool = Pool(Seen(), lambda: Room(tmp_path))
    try:
        pool.prime(profile(64, core=1), 1)
        for kind in range(10):
            (used,) = pool.take(profile(100 + kind), 1)
            pool.prime(profile(100 + kind), 1)
            pool.bury(used)
        expected = [64, *range(110 - KEPT, 110)]
        until = time.monotonic() + 60
        while (kept := sorted(g.profile.memory_mb for g in started if g.alive)) != expected:
            assert time.monotonic() < until, kept
            time.sleep(0.05)
        alive = [g for g in started if g.alive]
        (waited,) = pool.take(profile(109), 1)
        assert waited in alive
        pool.bury(waited)
    finally:
        pool.close()
    assert not any(g.alive for g in started)


class Failing(ProcessSandbox):
    """Some starts fail as they do when the engine is away; remembers the others."""

    def __init__(self, *bad: int) -> None:
        self.bad, self.asked, self.started = bad, 0, []

    def start(self, profile, label):
        self.asked += 1
        if self.asked in self.bad:
            raise ConnectionError("the engine is away")
        self.started.append(super().start(profile, label))
        return self.started[-1]


def ended(guests):
    """Soon all of them are."""
    until = time.monotonic() + 20
    while any(g.alive for g in guests) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(g.alive for g in guests)


def test_guests_that_were_not_handed_out_are_ended(tmp_path):
    """One of three does not start, nor does the one in its place: the two others do not live on until the node ends."""
    sandbox = Failing(2, 4)
    pool = Pool(sandbox, lambda: Room(tmp_path), starters=1)
    try:
        pool.prime(profile(64), 3)
        while len(sandbox.started) < 2:
            time.sleep(0.01)
        with pytest.raises(SandboxError, match="away"):
            pool.take(profile(64), 3)
        assert ended(sandbox.started)
    finally:
        pool.close()


def test_a_warm_guest_that_does_not_start_is_a_sandbox_error(tmp_path):
    """And those that did start are told of."""
    sandbox = Failing(2)
    pool = Pool(sandbox, lambda: Room(tmp_path), starters=1)
    try:
        hands, problem = Warm._started([pool.start(profile(64)) for _ in range(3)])
        assert isinstance(problem, SandboxError) and len(hands) == 2
        for hand in hands:
            pool.bury(hand.guest)
    finally:
        pool.close()


def test_a_burial_that_fails_is_logged(tmp_path, caplog):
    """What the guest was for is done; whoever buries it has a verdict in hand."""

    class Undying:
        def kill(self):
            raise SandboxError("the engine is away")

        remove = kill

    pool = Pool(ProcessSandbox(), lambda: Room(tmp_path))
    pool.bury(Undying())
    pool.close()
    pool.bury(Undying())
    assert caplog.text.count("the engine is away") == 4


def test_a_bench_that_cannot_remove_a_guest_gives_its_core_back(tmp_path):
    """Otherwise the node would lend one core less from then on."""
    buried = []

    class Actor:
        """With a guest that the engine does not remove."""

        def __init__(self):
            self.guest = self

        def close(self):
            buried.append(self)

        def remove(self):
            raise SandboxError("the engine is away")

    bench = Bench(ProcessSandbox(), Options(), (0,), tmp_path, affinity=os.sched_getaffinity(0))
    bench.actors += [Actor(), Actor()]
    step_aside((0,))
    with pytest.raises(SandboxError):
        bench.__exit__()
    assert os.sched_getaffinity(0) == bench.affinity and len(buried) == 2
