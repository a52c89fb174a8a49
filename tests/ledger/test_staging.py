"""A regrade whose verdict waits for staff."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select

from autograder.domain.record import Purpose, State
from autograder.ledger.models import GradeRow
from autograder.ledger.queue import TRIES
from tests.ledger.conftest import verdict


def take(ledger):
    """One lease."""
    return ledger.lease("node", free=4, hold_s=30)


@pytest.fixture
def graded(hand_in, ledger):
    """Ada's submission with a grade of 1.0, whose staged regrade is in the queue."""
    identity = hand_in().submission
    ledger.record(take(ledger), verdict(1.0))
    assert ledger.regrade(identity, by="tess", staged=True)
    return identity


def whats(ledger):
    """What the audit holds, oldest first."""
    assert ledger.verify_audit() > 0
    return [row["what"] for row in reversed(ledger.audit())]


def test_a_staged_verdict_counts_only_when_made_live(graded, ledger):
    """Old score, criteria and state stand; afterwards the new ones."""
    assert ledger.staged("c")[graded]["grade"] is None and ledger.entry(graded).state is State.QUEUED
    assert ledger.record(take(ledger), verdict(2.0))
    entry, waiting = ledger.entry(graded), ledger.staged("c", "a02")[graded]
    assert (entry.state, entry.score, ledger.grade_json(graded)["score"]) == (State.GRADED, 1.0, 1.0)
    assert [c["points"] for c in ledger.criteria("c", "a02")] == [1.0]
    assert (waiting["score"], waiting["body"]["score"]) == (2.0, 2.0) and ledger.staged("c", "a03") == {}
    assert ledger.make_live([graded, 999], by="tess") == [graded] and ledger.make_live([graded], by="tess") == []
    assert ledger.entry(graded).score == 2.0 and [c["points"] for c in ledger.criteria("c", "a02")] == [2.0]
    assert ledger.staged("c") == {}
    assert whats(ledger)[-3:] == ["regrade", "staged", "made live"]
    assert json.loads(ledger.audit()[0]["detail"]) == {"before": 1.0, "score": 2.0}


def test_a_discarded_verdict_never_counts(graded, ledger):
    """It stays in the database, but nobody can make it live."""
    ledger.record(take(ledger), verdict(2.0))
    assert ledger.discard([graded], by="tess") == [graded] and ledger.discard([graded], by="tess") == []
    assert ledger.make_live([graded], by="tess") == [] and ledger.entry(graded).score == 1.0
    with ledger.database.reads() as session:
        assert session.scalar(select(func.count()).select_from(GradeRow)) == 2
    assert whats(ledger)[-1] == "discarded"


@pytest.mark.parametrize("running", [False, True])
def test_discarding_ends_what_is_under_way(graded, ledger, running):
    """Its grader has lost the lease; the next regrade is as any other."""
    held = take(ledger) if running else None
    assert ledger.discard([graded], by="tess") == [graded]
    assert ledger.entry(graded).state is State.GRADED and take(ledger) is None
    if held:
        assert ledger.renew([held], hold_s=30) == [held] and not ledger.record(held, verdict(2.0))
    assert ledger.entry(graded).score == 1.0
    ledger.regrade(graded, by="tess")
    ledger.record(take(ledger), verdict(2.0))
    assert ledger.entry(graded).score == 2.0 and ledger.staged("c") == {}


def test_only_the_verdict_that_was_seen_is_made_live(graded, ledger):
    """Who looked at an older page decides nothing about a newer verdict."""
    ledger.record(take(ledger), verdict(2.0))
    seen = {graded: ledger.staged("c")[graded]["grade"]}
    ledger.regrade(graded, by="ines", staged=True)
    ledger.record(take(ledger), verdict(0.0))
    assert ledger.make_live([graded], by="tess", seen=seen) == [] and ledger.make_live([graded], by="t", seen={}) == []
    assert ledger.entry(graded).score == 1.0 and ledger.staged("c")[graded]["score"] == 0.0


def test_fencing_holds_for_staged_verdicts(graded, ledger, clock):
    """A late result is not staged either."""
    late = take(ledger)
    clock.advance(31)
    ledger.sweep()
    held = take(ledger)
    assert not ledger.record(late, verdict(0.0)) and ledger.record(held, verdict(2.0))
    assert not ledger.record(held, verdict(0.5)) and ledger.staged("c")[graded]["score"] == 2.0


def test_an_undecided_verdict_is_not_staged(graded, ledger):
    """It replaces nothing; staff read why."""
    ledger.record(take(ledger), verdict(0.0), staff="noisy machine")
    entry = ledger.entry(graded)
    assert (entry.state, entry.score) == (State.GRADED, 1.0) and "noisy machine" in entry.problem
    assert ledger.staged("c") == {} and whats(ledger)[-1] == "graded again, undecided"


def test_a_staged_regrade_that_fails_leaves_the_old_state(graded, ledger):
    """Staff are told by the audit and the entry's problem."""
    for _ in range(TRIES):
        ledger.give_back(take(ledger), "broken node")
    entry = ledger.entry(graded)
    assert (entry.state, entry.score, entry.problem) == (State.GRADED, 1.0, "broken node")
    assert take(ledger) is None and ledger.staged("c") == {} and whats(ledger)[-1] == "staged regrade failed"


def test_a_verdict_by_hand_wins_over_a_staged_one(graded, ledger):
    """`autograder regrade` shows its own difference; what was staged before is dropped."""
    held = take(ledger)
    ledger.replace_grade(graded, verdict(1.5), by="tess")
    assert not ledger.record(held, verdict(2.0)) and ledger.staged("c") == {} and ledger.entry(graded).score == 1.5


def test_what_never_had_a_grade_gets_one(hand_in, ledger):
    """From needs-staff by a staged regrade to graded."""
    identity = hand_in().submission
    ledger.escalate(take(ledger), "broken")
    ledger.regrade(identity, by="tess", staged=True)
    ledger.record(take(ledger), verdict(2.0))
    assert ledger.entry(identity).state is State.STAFF and ledger.grade_json(identity) is None
    ledger.make_live([identity], by="tess")
    assert (ledger.entry(identity).state, ledger.entry(identity).score) == (State.GRADED, 2.0)


def test_trying_again_drops_a_staged_verdict(hand_in, ledger):
    """The newest measurement counts."""
    identity = hand_in(purpose=Purpose.TRY).submission
    ledger.record(take(ledger), verdict(1.0))
    ledger.regrade(identity, by="tess", staged=True)
    ledger.record(take(ledger), verdict(2.0))
    hand_in(purpose=Purpose.TRY)
    ledger.record(take(ledger), verdict(0.5))
    assert ledger.staged("c") == {} and ledger.entry(identity).score == 0.5


def test_a_mark_changes_with_what_counts(hand_in, ledger, clock):
    """By a grade, a review, a newer submission; not by a staged verdict, a try or somebody else."""
    first, key = hand_in().submission, ("a02", "ada")
    assert ledger.marks("c") == {}
    ledger.record(take(ledger), verdict(1.0))
    marks = [ledger.marks("c")]
    assert list(marks[0]) == [key]
    hand_in(content=b"try", purpose=Purpose.TRY)
    ledger.record(take(ledger), verdict(2.0))
    ledger.regrade(first, by="tess", staged=True)
    assert ledger.marks("c") == {}  # in the queue: it comes back with the verdict
    ledger.record(take(ledger), verdict(2.0))
    assert ledger.marks("c") == marks[0] and ledger.marks("other") == {}
    ledger.make_live([first], by="tess")
    marks.append(ledger.marks("c"))
    ledger.review(first, by="tess", points=2, reason="r")
    marks.append(ledger.marks("c"))
    clock.advance(1)
    hand_in(content=b"newer")
    assert ledger.marks("c") == {}
    ledger.record(take(ledger), verdict(1.0))
    marks.append(ledger.marks("c"))
    clock.advance(1)
    hand_in()  # known bytes, handed in again, count again
    marks.append(ledger.marks("c"))
    assert len({m[key] for m in marks[:4]}) == 4 and marks[4] == marks[2]
