"""A world of ranks in one container: dealt, revealed, frozen and captured together; every failure names its ranks."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.api import Submission, load
from autograder.domain.submission import digest
from autograder.errors import CourseError
from autograder.judge.deal import Rows, deal, ranks_of
from autograder.judge.wording import ranks_in_words
from tests.conftest import FIXTURES

docker = pytest.mark.docker
HONEST = (FIXTURES / "reference" / "world.py").read_text(encoding="utf-8")
# what goes wrong, where the world has that many ranks
FAULT = """
_total = total
def total(comm, x):
    if comm.size == {size} and comm.rank == {rank}:
        {fault}
    return _total(comm, x)
"""
CASES = {
    "a deadlock": (2, 1, "comm.recv(source=0)", "timed-out", "With 2 ranks: ranks 0 and 1 had not returned."),
    "one rank returns early": (2, 0, "return 0.0", "timed-out", "With 2 ranks: rank 0 had returned, rank 1 had not returned."),
    "an early exit": (3, 2, "import os; os._exit(0)", "crashed", "With 3 ranks: rank 2 ended"),
    "an abort that says success": (3, 1, "comm.Abort(0); import time; time.sleep(1)", "crashed", "1"),
    "an error": (4, 3, "raise ValueError('of rank three')", "crashed", "With 4 ranks: rank 3 failed"),
    "another type": (2, 1, "return _total(comm, x), 1", "wrong-shape", "With 2 ranks: rank 1 failed, rank 0 had returned."),
    "an exit in good order": (2, 1, "import sys; sys.exit(0)", "crashed", "rank 1 failed"),
}  # fmt: skip


@pytest.fixture(scope="module")
def world():
    """The distributed test assignment."""
    return load(FIXTURES / "worlds" / "t_world")


def _grade(node, world, source, **more):
    files = {"solution.py": source.encode()}
    return node.grade(world, Submission("s.py", files, digest(files)), **more)


def _machine_has(cores):
    import os

    return len(os.sched_getaffinity(0)) >= cores


needs_two = pytest.mark.skipif(not _machine_has(2), reason="the test assignment asks for two cores")


@docker
@needs_two
@pytest.mark.parametrize("name", CASES)
def test_a_failure_has_a_verdict_and_names_its_ranks(name, node, world):
    """And the world is replaced: the sizes after it are checked, too."""
    size, rank, fault, verdict, words = CASES[name]
    grade = _grade(node, world, HONEST + FAULT.format(size=size, rank=rank, fault=fault), only="sum")
    found = grade.criteria[0]
    assert found.verdict == verdict, found.evidence
    assert words in found.sentence
    checks = {c["name"]: c["verdict"] for c in found.evidence["checks"]}
    assert checks == {f"sum[{p}]": verdict if p == size else "passed" for p in (1, 2, 3, 4)}


ONCE = """
_calls, _total, _ring = 0, total, ring
def total(comm, x):
    global _calls
    _calls += comm.size == 2
    if comm.size == 2:
        {fault}
    return _total(comm, x)
def ring(comm, x, m):
    if comm.size == 2 and {moved}:
        raise RuntimeError("not the world that was expected")
    return _ring(comm, x, m)
"""


@docker
@needs_two
@pytest.mark.parametrize(
    ("fault", "verdict", "moved"),
    [
        ("raise NotImplementedError", "missing-function", "not _calls"),
        (
            "_late = np.empty(1), comm.Irecv(np.empty(1), 1 - comm.rank); raise ValueError(comm.rank)",
            "crashed",
            "_calls",
        ),
    ],
    ids=["unwritten", "with a message under way"],
)
def test_a_world_goes_on_where_nothing_is_written_and_nowhere_else(node, world, fault, verdict, moved):
    """Who waits for a new world in every check waits long; what a failed call has posted must not reach the next."""
    both, ring = _grade(node, world, HONEST + ONCE.format(fault=fault, moved=moved)).criteria[:2]
    assert {c["name"]: c["verdict"] for c in both.evidence["checks"]}["sum[2]"] == verdict, both.evidence
    assert "With 2 ranks: ranks 0 and 1 failed." in both.sentence
    assert ring.verdict == "passed", ring.evidence


@docker
@needs_two
def test_a_hidden_check_numbers_no_ranks_and_leaks_nothing(node, world):
    """A submission chooses what each rank does, and could tell by their numbers what it was given."""
    source = (
        HONEST
        + "_ring = ring\ndef ring(comm, x, m):\n    if comm.rank == 1: raise ValueError('LEAK' + repr(x))\n    return _ring(comm, x, m)\n"
    )
    grade = _grade(node, world, source, only="ring")
    shown = str(grade.for_student().to_json())
    assert "some failed" in shown and "rank 1" not in shown and "LEAK" not in shown
    assert "LEAK" in str(grade.to_json()) and "rank 1 failed" in str(grade.to_json())


@docker
@needs_two
def test_rank_one_cannot_change_its_inputs_unseen(node, world):
    """Every rank's inputs are compared."""
    source = (
        HONEST
        + "_ring = ring\ndef ring(comm, x, m):\n    y = _ring(comm, x, m)\n    if comm.rank == 1: x[0] += 1\n    return y\n"
    )
    assert _grade(node, world, source, only="ring").criteria[0].verdict == "inputs-modified"


@docker
@needs_two
def test_scaling_is_measured_between_worlds(node, world):
    """One rank of the kernel against two of the submission; the curve has both; a serial program is too slow."""
    whole = _grade(node, world, HONEST)
    speed = whole.criteria[-1]
    assert speed.verdict in ("passed", "inconclusive"), "\n".join(map(str, whole.criteria))
    if speed.verdict == "passed":
        assert whole.score == whole.max_score and speed.duel.workers == 2
        assert [q for q, _ in speed.duel.curve] == [1]
    serial = HONEST + """
_ring = ring
def ring(comm, x, m):
    everything = np.concatenate(comm.allgather(x))
    y = everything.copy()
    for _ in range(m):
        y = np.sin(y) + everything
    first = sum(comm.allgather(len(x))[: comm.rank])
    return y[first : first + len(x)], (comm.rank - 1) % comm.size
"""  # fmt: skip
    assert _grade(node, world, serial).criteria[-1].verdict in ("too-slow", "inconclusive")


def test_rows_are_dealt_as_even_as_can_be():
    """Uneven numbers, and more ranks than rows."""
    whole = np.arange(14.0).reshape(7, 2)
    assert [len(b) for b in Rows(whole).split(3)] == [3, 2, 2]
    assert [len(b) for b in Rows(whole[:2]).split(4)] == [1, 1, 0, 0]
    assert (np.concatenate(Rows(whole).split(4)) == whole).all()


def test_a_check_that_deals_wrongly_is_told_so(world):
    """Too few blocks; a number of ranks that is none."""
    function = world.function("total")
    comm, x = function.arguments
    with pytest.raises(CourseError, match="'x' has 2 values for 3 ranks"):
        deal(function, [(comm, 3), (x, [np.ones(1)] * 2)], 3)
    for wrong in (0, 17, "two", None):
        with pytest.raises(CourseError, match="number of ranks, from 1 to 16"):
            ranks_of(function, [(comm, wrong)])


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ((2, [1], [], [1]), "With 2 ranks: rank 1 failed, rank 0 had not returned."),
        ((4, [], [0, 2], [1]), "With 4 ranks: ranks 0 and 2 ended, rank 1 had returned, rank 3 had not returned."),
        ((3, [], [], []), "With 3 ranks: ranks 0, 1 and 2 had not returned."),
    ],
)
def test_ranks_read_as_a_sentence(groups, words):
    """Every rank is named once."""
    named, states = ranks_in_words(*groups)
    assert named == words
    assert states.startswith("Of the ranks some ") and not any(c.isdigit() for c in states)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('arguments = ["x: f8[n] per rank"]', "needs an argument of type comm"),
        ('arguments = ["a: comm", "b: comm"]', "one communicator at most"),
        ('arguments = ["a: comm"]', 'the kind must be "mpi"'),
    ],
)
def test_the_loader_explains_what_a_communicator_asks_for(tmp_path, line, word):
    """With file and key."""
    text = (FIXTURES / "worlds" / "t_world" / "assignment.toml").read_text(encoding="utf-8")
    text = text.replace('arguments = ["comm: comm", "x: f8[n] per rank"]', line)
    if "kind" in word:
        text = text.replace('kind = "mpi"', 'kind = "serial"')
    folder = tmp_path / "t_w"
    folder.mkdir()
    (folder / "assignment.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match=word) as caught:
        load(folder)
    assert "assignment.toml" in str(caught.value)


@docker
@needs_two
def test_a_world_that_does_not_load_condemns_no_other(node, world):
    """Three ranks fail at import; one, two and four are judged."""
    source = "from mpi4py import MPI\nassert MPI.COMM_WORLD.size != 3\n" + HONEST
    found = _grade(node, world, source, only="sum").criteria[0]
    checks = {c["name"]: c["verdict"] for c in found.evidence["checks"]}
    assert checks == {"sum[1]": "passed", "sum[2]": "passed", "sum[3]": "did-not-load", "sum[4]": "passed"}
