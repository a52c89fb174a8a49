"""The queue: order, fencing, expiry."""

from __future__ import annotations

import threading

import pytest

from autograder.domain.record import Purpose, State
from autograder.ledger.queue import TOO_LARGE, TRIES, Sizes
from tests.ledger.conftest import verdict


def take(ledger, **more):
    """One lease."""
    return ledger.lease("node", **{"free": 4, "hold_s": 30, **more})


def test_a_verdict_is_recorded_once(hand_in, ledger):
    """A second result changes nothing."""
    receipt, held = hand_in(), take(ledger)
    assert ledger.record(held, verdict(1.0)) and not ledger.record(held, verdict(2.0))
    entry = ledger.entry(receipt.submission)
    assert (entry.state, entry.score, ledger.grade_json(receipt.submission)["score"]) == (State.GRADED, 1.0, 1.0)
    assert take(ledger) is None


def test_a_late_result_changes_nothing(hand_in, ledger, clock):
    """Whoever let the lease lapse has lost it, also if the next holder is slower."""
    receipt, late = hand_in(), take(ledger)
    clock.advance(31)
    assert ledger.sweep() == [receipt.submission]
    assert not ledger.record(late, verdict(2.0))
    held = take(ledger)
    assert held.token == late.token + 1 and not ledger.record(late, verdict(2.0))
    assert ledger.record(held, verdict(1.0)) and ledger.entry(receipt.submission).score == 1.0


def test_a_heartbeat_keeps_a_lease(hand_in, ledger, clock):
    """And tells who lost one."""
    hand_in()
    held = take(ledger)
    clock.advance(20)
    assert ledger.renew([held], hold_s=30) == []
    clock.advance(20)
    assert ledger.sweep() == []
    clock.advance(11)
    ledger.sweep()
    assert ledger.renew([held], hold_s=30) == [held]


def test_a_dead_holder_is_swept_at_once(hand_in, ledger):
    """Nobody waits for the lease of a process that is known to be gone."""
    receipt = hand_in()
    take(ledger)
    assert ledger.holders() == ["node"] and ledger.sweep(dead=["node"]) == [receipt.submission]


def test_three_failures_of_ours_reach_staff_and_charge_nobody(hand_in, ledger):
    """The submission stays; a person decides."""
    receipt = hand_in()
    for attempt in range(1, TRIES + 1):
        state = ledger.give_back(take(ledger), f"failure {attempt}")
    assert state is State.STAFF and take(ledger) is None
    entry = ledger.entry(receipt.submission)
    assert entry.problem == "failure 3" and entry.score is None
    ledger.regrade(receipt.submission, by="tess")
    assert take(ledger).submission == receipt.submission


def test_a_stopped_grader_charges_no_try(hand_in, ledger):
    """Ten restarts are no reason to bother staff."""
    receipt = hand_in()
    for _ in range(10):
        assert ledger.give_back(take(ledger), "stopped", charge=False) is State.QUEUED
    assert ledger.entry(receipt.submission).attempts == 0


def test_a_rest_is_kept(hand_in, ledger, clock):
    """A machine that was too noisy is given time; others go on meanwhile."""
    receipt = hand_in()
    ledger.give_back(take(ledger), "noisy", wait_s=20)
    other = hand_in("bob")
    assert take(ledger).submission == other.submission and take(ledger) is None
    clock.advance(20)
    assert take(ledger).submission == receipt.submission


def test_students_take_turns(hand_in, ledger):
    """One who submits ten versions does not make the others wait."""
    for i in range(5):
        hand_in("ada", f"{i}".encode())
    hand_in("bob"), hand_in("cem")
    order = [take(ledger) for _ in range(7)]
    students = [ledger.entry(h.submission).student for h in order]
    assert students == ["ada", "bob", "cem", "ada", "ada", "ada", "ada"]


def test_live_work_comes_before_regrades(hand_in, ledger):
    """And the last slot is kept for it."""
    old = hand_in("ada")
    ledger.record(take(ledger), verdict())
    ledger.regrade(old.submission, by="tess")
    assert take(ledger, live_only=True) is None
    new = hand_in("bob")
    assert ledger.position(old.submission) == 1
    assert [take(ledger).submission, take(ledger).submission] == [new.submission, old.submission]


def test_the_old_grade_stands_until_the_new_one(hand_in, ledger):
    """A regrade takes nothing away."""
    receipt = hand_in()
    ledger.record(take(ledger), verdict(1.0))
    ledger.regrade(receipt.submission, by="tess")
    assert ledger.entry(receipt.submission).score == 1.0
    ledger.record(take(ledger), verdict(2.0))
    assert ledger.entry(receipt.submission).score == 2.0


def test_a_large_job_is_not_starved_by_small_ones(hand_in, ledger):
    """The head of the queue waits for room, and everybody behind it too."""
    hand_in("ada", cores=2)
    hand_in("bob")
    assert take(ledger, free=1) is None
    assert take(ledger, free=2).cores == 2


def verdicts(score, *found):
    """A grade with these verdicts."""
    rows = [
        {"id": f"c{i}", "points": 0.0, "max_points": 1.0, "verdict": v, "evidence": {}} for i, v in enumerate(found)
    ]
    return {"score": score, "max_score": float(len(found)), "criteria": rows, "engine": {}}


def test_without_a_gpu_correctness_is_graded_and_the_rest_waits_visibly(hand_in, ledger):
    """And goes on when one joins, with all its tries; the first verdict counts until then."""
    receipt = hand_in(gpu=True)
    ledger.hardware(gpu=False)
    held = take(ledger)
    assert held.submission == receipt.submission and not held.gpu  # no machine with a GPU is asked for
    assert ledger.record(held, verdicts(1.0, "passed", "waiting-for-hardware"))
    entry = ledger.entry(receipt.submission)
    assert (entry.state, entry.score, entry.attempts) == (State.WAITING, 1.0, 0)
    assert take(ledger) is None and not ledger.regrade(receipt.submission, by="staff")
    assert ledger.hardware(gpu=True) == 1
    assert ledger.hardware(gpu=False) == 1 and ledger.entry(receipt.submission).state is State.WAITING  # it left again
    ledger.hardware(gpu=True)
    held = take(ledger, gpu=True)
    assert held.submission == receipt.submission and held.gpu and held.tries == 1
    assert ledger.record(held, verdicts(2.0, "passed", "passed"))
    entry = ledger.entry(receipt.submission)
    assert (entry.state, entry.score) == (State.GRADED, 2.0)


def test_while_every_gpu_is_lent_others_go_on(hand_in, ledger):
    """What needs one is not tried without where one is there."""
    first = hand_in(gpu=True)
    other = hand_in("bob")
    held = ledger.lease("here", free=4, hold_s=30, gpu=False, gpu_busy=True)
    assert held.submission == other.submission
    assert ledger.lease("here", free=4, hold_s=30, gpu=False, gpu_busy=True) is None
    assert take(ledger, gpu=True).submission == first.submission


def test_no_submission_is_leased_twice(hand_in, ledger):
    """Eight dispatchers on one queue."""
    for i in range(40):
        hand_in(f"s{i}")
    got, lock = [], threading.Lock()

    def work(name):
        while (held := ledger.lease(name, free=4, hold_s=30)) is not None:
            with lock:
                got.append(held.submission)

    threads = [threading.Thread(target=work, args=(f"n{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while (held := take(ledger)) is not None:  # those that another's lock hid
        got.append(held.submission)
    assert sorted(got) == sorted({e.id for e in ledger.entries("c")})


def test_trying_the_same_bytes_again_measures_again(hand_in, ledger):
    """A try is a measurement; a grade is not repeated."""
    first = hand_in(purpose=Purpose.TRY)
    ledger.record(take(ledger), verdict())
    hand_in(purpose=Purpose.TRY)
    assert take(ledger).submission == first.submission


@pytest.mark.parametrize("course", ["c", "other"])
def test_criteria_of_newest_grades_are_listed_for_plots(hand_in, ledger, course):
    """Old grades and other courses do not show."""
    receipt = hand_in()
    for score in (1.0, 2.0):
        ledger.record(take(ledger), verdict(score))
        ledger.regrade(receipt.submission, by="tess")
    rows = ledger.criteria(course, "a02")
    assert [(r["student"], r["points"], r["speedup"]) for r in rows] == ([("ada", 2.0, 1.5)] if course == "c" else [])


def test_what_was_handed_in_last_counts(hand_in, ledger, clock):
    """Also when it is an older version, handed in again."""
    first = hand_in("ada", b"one")
    clock.advance(1)
    hand_in("ada", b"two")
    clock.advance(1)
    hand_in("ada", b"one")
    assert [e.id for e in ledger.latest("c", "a02")] == [first.submission]


def test_a_regrade_that_fails_by_our_fault_replaces_no_grade(hand_in, ledger):
    """The old points stand, staff are asked; a decided verdict replaces them, and an undecided one only its like."""
    receipt = hand_in()
    ledger.record(take(ledger), verdicts(2.0, "passed", "passed"))
    before = ledger.marks("c")
    ledger.regrade(receipt.submission, by="tess")
    assert ledger.record(take(ledger), verdicts(0.0, "grader-failed", "grader-failed"), staff="the engine is gone")
    entry = ledger.entry(receipt.submission)
    assert (entry.state, entry.score) == (State.STAFF, 2.0) and "the engine is gone" in entry.problem
    assert ledger.marks("c") == before and ledger.audit()[0]["what"] == "graded again, undecided"
    ledger.regrade(receipt.submission, by="tess")
    ledger.record(take(ledger), verdicts(1.0, "passed", "wrong-answer"))
    assert ledger.entry(receipt.submission).score == 1.0
    first = hand_in("bob")
    for score, found in ((0.0, "grader-failed"), (1.0, "inconclusive")):
        ledger.record(take(ledger), verdicts(score, "passed", found), staff="noise")
        assert ledger.entry(first.submission).score == score
        ledger.regrade(first.submission, by="tess")
    ledger.record(take(ledger), verdicts(0.0, "grader-failed", "grader-failed"), staff="the engine is gone")
    assert ledger.entry(first.submission).score == 1.0  # what was decided of it stands


def test_what_a_broken_gpu_did_not_finish_is_tried_on_the_next_that_joins(hand_in, ledger):
    """It keeps what it had, and is not sent to the same broken one again and again."""
    receipt = hand_in(gpu=True)
    ledger.record(take(ledger), verdicts(1.0, "passed", "waiting-for-hardware"))
    assert ledger.hardware(gpu=True, joined=True) == 1
    ledger.record(take(ledger, gpu=True), verdicts(0.0, "grader-failed", "grader-failed"), staff="no driver")
    entry = ledger.entry(receipt.submission)
    assert (entry.state, entry.score) == (State.STAFF, 1.0)
    assert ledger.hardware(gpu=True) == 0 and ledger.hardware(gpu=False) == 0
    assert ledger.hardware(gpu=True, joined=True) == 1
    held = take(ledger, gpu=True)
    assert held.submission == receipt.submission and held.tries == 1
    ledger.record(held, verdicts(2.0, "passed", "passed"))
    assert (ledger.entry(receipt.submission).state, ledger.entry(receipt.submission).score) == (State.GRADED, 2.0)
    assert ledger.hardware(gpu=True, joined=True) == 0


def test_what_fits_no_node_holds_nobody_up(hand_in, ledger):
    """It waits, says why, uncharged, and goes first when a node that is large enough joins; a GPU's node has its own size."""
    large = hand_in("ada", cores=8)
    beside = hand_in("cal", cores=3, gpu=True)
    small = hand_in("bob")
    sizes = Sizes(4, 2)
    assert ledger.oversized(sizes) == 2 and ledger.oversized(sizes) == 0
    held = take(ledger, sizes=sizes, gpu=True)
    assert held.submission == small.submission and take(ledger, sizes=sizes, gpu=True) is None
    entry = ledger.entry(large.submission)
    assert (entry.state, entry.problem, entry.attempts) == (State.QUEUED, TOO_LARGE, 0)
    assert ledger.oversized(Sizes(8, 8)) == 0 and ledger.entry(large.submission).problem == ""
    assert take(ledger, free=8, sizes=Sizes(8, 8), gpu=True).submission == large.submission
    assert take(ledger, sizes=Sizes(8, 8), gpu=True).submission == beside.submission
    hand_in("dan", cores=2)
    hand_in("eve")
    assert take(ledger, free=1, sizes=Sizes(2, 2)) is None  # it fits, but not now: nobody goes before it


def test_what_waits_for_a_gpu_takes_nobodys_turn(hand_in, ledger, clock):
    """And when one joins, what counts of each student goes before older versions, by the newest receipt."""
    waits = {}
    for content in (b"one", b"two", b"three"):
        waits[content] = hand_in("ada", content, gpu=True).submission
        ledger.record(take(ledger), verdicts(1.0, "passed", "waiting-for-hardware"))
        clock.advance(1)
    hand_in("ada", b"two", gpu=True)  # known bytes: they count again
    first = hand_in("ada", b"for a03", assignment="a03")
    second = hand_in("bob", b"for a03", assignment="a03")
    assert [take(ledger).submission for _ in range(2)] == [first.submission, second.submission]
    ledger.hardware(gpu=True)
    third = hand_in("cal")
    order = [take(ledger, gpu=True).submission for _ in range(4)]
    assert order == [waits[b"two"], third.submission, waits[b"one"], waits[b"three"]]


def test_what_is_asked_for_may_change(hand_in, ledger, clock):
    """The next lease has it, at no charge; what waited for a GPU that is not needed any more is graded when it comes again."""
    receipt = hand_in(gpu=True)
    held = take(ledger)
    assert held.without and not held.gpu
    ledger.resize(held, cores=2, gpu=False)
    assert not ledger.record(held, verdict())
    clock.advance(2)
    held = take(ledger)
    assert (held.submission, held.cores, held.gpu, held.without, held.tries) == (receipt.submission, 2, False, False, 1)
    waits = hand_in("bob", gpu=True)
    ledger.record(take(ledger), verdicts(1.0, "passed", "waiting-for-hardware"))
    hand_in("bob", gpu=True)
    assert ledger.entry(waits.submission).state is State.WAITING
    hand_in("bob")
    assert take(ledger).submission == waits.submission
