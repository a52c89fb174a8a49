"""Guests ahead of need: bounded by the machine, not by how many kinds of submission it has ever seen."""

from __future__ import annotations

import time

import pytest

from autograder.engine.pool import KEPT, Pool
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
