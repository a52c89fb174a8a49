"""GPU assignments without a GPU: correctness under simulators, speed waits; and the way through a simulated slot."""

import pytest

from autograder.api import Node, Options, Submission, receive
from autograder.course.load import load
from autograder.course.mutants import mutants
from autograder.domain.submission import digest
from autograder.domain.verdict import Verdict

from .. import conftest

pytestmark = pytest.mark.docker
WAITS = Verdict.WAITING_FOR_HARDWARE


@pytest.fixture(scope="module")
def gpu_course():
    """The test assignment whose arrays live on a device."""
    return load(conftest.FIXTURES / "assignments" / "t_gpu")


@pytest.fixture(scope="module")
def plain_node(engine):
    """A machine without a GPU."""
    with Node(Options(references=conftest.FIXTURES / "reference", pairs=1, gpus=())) as node:
        yield node


@pytest.fixture(scope="module")
def gpu_node(engine):
    """A machine with a slot that stands for a GPU."""
    with Node(Options(references=conftest.FIXTURES / "reference", pairs=1, gpus=("simulated",))) as node:
        yield node


def solution(course):
    """The one that runs wherever the arrays are."""
    return receive(course.folder / "solutions/any_device.py", course.limits.submission_kb)


def program(source):
    """A submission of one file."""
    files = {"solution.py": source.encode()}
    return Submission("x.py", files, digest(files))


def test_without_a_gpu_correctness_is_graded_and_speed_waits(plain_node, gpu_course):
    """Not our failure, so that nobody tries again here; nothing is lost."""
    grade = plain_node.grade(gpu_course, solution(gpu_course))
    assert [c.verdict for c in grade.criteria] == [Verdict.PASSED] * 3 + [WAITS]
    assert grade.waiting and not grade.ours and grade.score == 40
    assert grade.criteria[-1].points == 0 and grade.criteria[-1].duel is None


def test_what_is_wrong_is_said_without_a_gpu(plain_node, gpu_course):
    """The speed waits all the same: the machine with the GPU judges anew."""
    grade = plain_node.grade(
        gpu_course, program("def work(x, steps): return x, 0.0\ndef fill(out, value): out[:] = value\n")
    )
    assert [c.verdict for c in grade.criteria] == [Verdict.WRONG_ANSWER] * 2 + [Verdict.PASSED, WAITS]


def test_code_that_loads_only_beside_a_gpu_waits_for_one(plain_node, gpu_course):
    """CuPy is not there; that is no failure of the student's."""
    grade = plain_node.grade(gpu_course, program("import cupy\n"))
    assert {c.verdict for c in grade.criteria} == {WAITS} and grade.score == 0 and not grade.ours


def test_cupy_waits_for_a_gpu_in_an_image_that_holds_it(plain_node, gpu_course):
    """There it would load, and end in the driver's absence; a file beside the solution stands for what an image holds."""
    files = {
        "solution.py": b"import cupy\ndef work(x, steps): return cupy.asarray(x), 0.0\n",
        "cupy.py": b"asarray = None\n",
    }
    grade = plain_node.grade(gpu_course, Submission("x.tar.gz", files, digest(files)))
    assert {c.verdict for c in grade.criteria} == {WAITS} and not grade.ours


def test_a_simulated_slot_grades_everything(gpu_node, gpu_course):
    """Reveal and capture by copies to and from the device, descriptors across containers, a duel; and it says what it is."""
    grade = gpu_node.grade(gpu_course, solution(gpu_course))
    for _ in range(3):
        if not grade.ours:
            break
        grade = gpu_node.grade(gpu_course, solution(gpu_course))
    assert grade.score == grade.max_score == 80, [(c.id, c.verdict, c.sentence, c.evidence) for c in grade.criteria]
    assert grade.engine["device"] == "simulated" and not grade.waiting
    assert 0.7 < grade.criteria[-1].duel.speedup < 1.4


@pytest.mark.parametrize(
    "name", ["changes_its_input", "double_precision", "half_precision", "leaves_the_output", "replays_by_address"]
)
def test_a_mutant_dies_on_the_device_as_on_the_host(gpu_node, plain_node, gpu_course, name):
    """Addresses that stay the same hold other numbers; all ones is no answer; inputs are compared on the device."""
    mutant = next(m for m in mutants(gpu_course) if m.name == name)
    for node in (gpu_node, plain_node):
        assert mutant.dies_by in [c.verdict for c in node.grade(gpu_course, mutant.submission).criteria]


def test_what_a_gpu_was_lent_for_is_lent_once(gpu_node, gpu_course):
    """One grading at a time on a GPU, however many cores are free."""
    assert len(gpu_node.slots(gpu_course)) == 1
    with gpu_node._gpu(gpu_course) as one:
        assert one == "simulated" and gpu_node._gpus.empty()
    assert gpu_node._gpus.qsize() == 1
