"""Progress of a grading, as a worker tells it."""

from types import SimpleNamespace

from autograder.engine.task import teller


def told(*news):
    """What gets through, without the worker's name: phases and rounds."""
    heard = []
    worker = SimpleNamespace(name="w", log_event=lambda _topic, message: heard.append(message))
    say = teller(worker, SimpleNamespace(submission=7))
    for message in news:
        say(message)
    assert all(m["submission"] == 7 for m in heard)
    return [(m["phase"], m.get("rounds")) for m in heard]


def test_a_duel_that_is_over_at_once_was_told_of_and_its_rounds_are_thinned():
    rounds = [{"phase": "duel", "criterion": "speed", "rounds": n} for n in (1, 2, 3)]
    assert told({"phase": "check"}, *rounds, {"phase": "check"}) == [("check", None), ("duel", 1), ("check", None)]


def test_that_others_measure_is_not_told_each_time():
    """A busy node waits many times a second."""
    assert told({"phase": "check"}, {"phase": "waits"}, {"phase": "waits"}) == [("check", None)]


def test_the_first_round_of_each_duel_is_told():
    rounds = [{"phase": "duel", "criterion": c, "rounds": n} for c in ("a", "b") for n in (1, 2)]
    assert told(*rounds) == [("duel", 1), ("duel", 1)]
