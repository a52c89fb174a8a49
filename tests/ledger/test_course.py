"""What a course keeps beside the grades, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from autograder.api import Purpose
from autograder.ledger.models import Bucket, Extension, Member, Version


def test_later_deadlines_of_one_assignment(ledger, clock):
    """The newest of each student, nobody else's."""
    first, later = clock() + timedelta(days=1), clock() + timedelta(days=3)
    ledger.extend("c", "a02", "ada", until=first, by="tess")
    ledger.extend("c", "a02", "ada", until=later, by="tess")
    ledger.extend("c", "a02", "ben", until=first, by="tess")
    ledger.extend("c", "a03", "ben", until=later, by="tess")
    assert ledger.extensions("c", "a02") == {"ada": later, "ben": first}
    assert ledger.extension("c", "a02", "ada") == later
    assert ledger.extensions("c", "a04") == {} == ledger.extensions("d", "a02")


def test_what_came_after_a_moment(ledger, clock, hand_in):
    """By when the bytes first came: handing in the same again does not make them late; tries do not count."""
    hand_in("ada", b"x = 1")
    moment = clock()
    clock.advance(1)
    hand_in("ada", b"x = 1")
    hand_in("ada", b"x = 2", purpose=Purpose.TRY)
    late = hand_in("ben", b"x = 3")
    hand_in("ben", b"x = 4", assignment="a03")
    assert ledger.received_after("c", "a02", moment) == [(late.submission, "ben", late.received_at)]


@pytest.mark.parametrize("row", [Bucket, Extension, Member, Version])
def test_two_first_requests_at_once(ledger, clock, monkeypatch, row):
    """Both find nothing and write the same new row; neither is an error."""
    both, real = threading.Barrier(2, timeout=1), Session.get
    touch = {
        Bucket: lambda: ledger.spend("ada", capacity=2, refill_per_s=0),
        Extension: lambda: ledger.extend("c", "a02", "ada", until=clock(), by="tess"),
        Member: lambda: ledger.enrol("c", "ada", "student"),
        Version: lambda: ledger.version("c", "a02", "v1"),
    }[row]

    def get(session, entity, *given, **more):
        found = real(session, entity, *given, **more)
        if entity is row and found is None:
            with suppress(threading.BrokenBarrierError):  # in SQLite writers take turns
                both.wait()
        return found

    monkeypatch.setattr(Session, "get", get)
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(touch) for _ in range(2)]:
            done.result()
    if row is Bucket:
        assert ledger.spend("ada", capacity=2, refill_per_s=0) > 0
