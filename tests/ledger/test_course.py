"""What a course keeps beside the grades, on both databases."""

from __future__ import annotations

from datetime import timedelta

from autograder.api import Purpose


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
