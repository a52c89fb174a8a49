"""Real submissions, from file to verdict, in real containers."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from autograder.api import Submission, load, receive
from autograder.domain.grade import Grade
from autograder.domain.measurement import Decision
from autograder.domain.submission import digest
from autograder.domain.verdict import Verdict
from autograder.errors import CourseError
from autograder.measure.room import Room
from autograder.sandbox.state import state_folder

from .. import conftest

pytestmark = pytest.mark.docker


def graded(node, basic, name):
    """One file of the test assignment."""
    return node.grade(basic, receive(basic.folder / name, 64))


@pytest.mark.parametrize("name", ["solutions/numpy_loop.py", "solutions/other_way.py", "t_basic.ipynb"])
def test_a_right_and_fast_submission_earns_full_marks(node, basic, name):
    """By file and by notebook, in two ways."""
    grade = graded(node, basic, name)
    assert [c.verdict for c in grade.criteria] == [Verdict.PASSED] * 5, [c.evidence for c in grade.criteria]
    assert grade.score == grade.max_score
    duel = grade.criteria[-1].duel
    assert duel is not None
    assert duel.interval[0] <= duel.speedup <= duel.interval[1]
    assert len(duel.counted) >= 12
    assert {r.pair for r in duel.rounds} == {0, 1} and grade.engine["isolated"] is True


def test_a_slow_one_reaches_the_lower_tier_only(node, basic):
    """Three times the work is a third of the speed: 0.2 passes, 0.6 fails."""
    grade = graded(node, basic, "mutants/three_times.py")
    speed = grade.criteria[-1]
    assert speed.verdict is Verdict.TOO_SLOW, speed.evidence
    assert speed.points == 10
    assert 0.28 < speed.duel.speedup < 0.38
    control = speed.duel.control
    assert control.thresholds == (0.6,) and control.decisions == (Decision.FAIL,)
    assert 0.28 < control.submission < 0.38 and control.speedup > 0.8
    assert "A solution of the course's own" in speed.sentence


def test_nobody_loses_a_tier_that_the_known_program_loses_too(node, basic, tmp_path, monkeypatch):
    """As if a neighbour of the machine slowed everything but the reference by three; what is reached is reached."""
    folder = tmp_path / "t_basic"
    shutil.copytree(basic.folder, folder)
    shutil.copyfile(folder / "mutants/three_times.py", folder / "solutions/numpy_loop.py")
    slowed = load(folder)
    tries, attempt = list[Grade](), node._attempt

    def remembered(job, say):
        tries.append(attempt(job, say))
        return tries[-1]

    monkeypatch.setattr(node, "_attempt", remembered)
    grade = node.grade(slowed, receive(folder / "mutants/three_times.py", 64))
    speed = grade.criteria[-1]
    assert speed.verdict is Verdict.INCONCLUSIVE, speed.evidence
    spent = sum(t.engine["guest_s"] for t in tries)
    assert len(tries) == 2 and grade.engine["guest_s"] == pytest.approx(spent, abs=1e-3)
    assert grade.overhead_s == pytest.approx(grade.wall_s - spent, abs=1e-3)
    assert [t.decision for t in speed.duel.tiers] == [Decision.PASS, Decision.UNDECIDED]
    assert "did not earn it in the same rounds" in speed.sentence


@pytest.mark.parametrize(("program", "problem"), [(None, "does not exist"), ("def work(x)", "does not load")])
def test_a_control_that_is_not_there_is_a_mistake_of_the_course(node, basic, tmp_path, program, problem):
    """Staff are told which file."""
    folder = tmp_path / "t_basic"
    shutil.copytree(basic.folder, folder)
    path = folder / "solutions/numpy_loop.py"
    path.unlink() if program is None else path.write_text(program)
    with pytest.raises(CourseError, match=f"numpy_loop.py.* {problem}"):
        node.grade(load(folder), receive(folder / "mutants/three_times.py", 64), only="speed")


def test_a_control_that_breaks_is_ours(node, basic, tmp_path):
    """The student has lost nothing."""
    folder = tmp_path / "t_basic"
    shutil.copytree(basic.folder, folder)
    (folder / "solutions/numpy_loop.py").write_text("def work(x): pass")
    grade = node.grade(load(folder), receive(folder / "mutants/three_times.py", 64), only="speed")
    assert grade.ours and "the control failed" in str(grade.to_json()), grade


def test_a_grading_is_replayed_by_its_seed(node, basic):
    """The recorded entropy makes the same inputs: the same wrong value is found again."""
    files = {"solution.py": b"def work(x, steps): return x + 0.0\n"}
    wrong = Submission("wrong", files, digest(files))
    first = node.grade(basic, wrong)
    again = node.grade(basic, wrong, seed=first.engine["entropy"])
    other = node.grade(basic, wrong)
    detail = [g.criteria[1].evidence["checks"][0]["detail"] for g in (first, again, other)]
    assert detail[0] == detail[1] != detail[2]


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("import numpy as np\ndef work(x, steps):\n    return np.linalg.inv(x)\n", "line 3, in work", "LinAlgError"),
        ("def work(x):\n    return x\n", "TypeError", "2 were given"),
        ("import numpy as np\nnp.linalg.inv(3)\n", "line 2, in <module>", "LinAlgError"),
        ("def work(x, steps)\n    return x\n", "line 1", "SyntaxError"),
    ],
)
def test_a_traceback_begins_with_the_students_line(node, basic, code, first, last):
    """How the call got there is our business; a library's last frames help."""
    files = {"solution.py": code.encode()}
    grade = node.grade(basic, Submission("raises", files, digest(files)), only="examples")
    said = grade.criteria[0].sentence
    assert said.index(first) < said.index(last), said
    assert "shim.py" not in said and "importlib" not in said, said


def test_only_runs_one_criterion(node, basic):
    """For a TA who looks at one thing."""
    grade = node.grade(basic, receive(basic.folder / "solutions/numpy_loop.py", 64), only="in-place")
    assert [c.id for c in grade.criteria] == ["in-place"]


def test_the_command_prints_the_contract(basic, engine):
    """`grade --json`, as scripts read it."""
    command = [
        sys.executable,
        "-m",
        "autograder",
        "grade",
        str(basic.folder),
        str(basic.folder / "mutants/three_times.py"),
        "--json",
        "--only",
        "formula",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=conftest.FIXTURES)
    assert done.returncode == 0, done.stderr
    grade = json.loads(done.stdout)
    assert {
        "assignment",
        "submission_sha256",
        "score",
        "max_score",
        "criteria",
        "machine",
        "engine",
        "wall_s",
        "overhead_s",
    } <= set(grade)
    assert {"id", "points", "max_points", "verdict", "sentence", "evidence"} <= set(grade["criteria"][0])


@pytest.mark.parametrize(
    "arguments,words",
    [
        (["grade", "no_such_thing", "x.py"], "no such assignment"),
        (["grade", "t_basic", "/nonexistent.py"], "cannot be read"),
        (["grade", "t_basic", "assignments/t_basic/solutions/numpy_loop.py", "--only", "nothing"], "not declared"),
        (["grade"], "Missing argument"),
        (["frobnicate"], "No such command"),
    ],
)
def test_usage_errors_exit_2_with_a_sentence(arguments, words, engine):
    """And never with a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=conftest.FIXTURES,
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_assignment_is_the_courses_fault(node, basic, tmp_path):
    """A check that names an undeclared criterion: an error for the TA, not a verdict on the student."""
    import shutil

    from autograder.api import CourseError

    folder = tmp_path / "t_basic"
    shutil.copytree(basic.folder, folder)
    path = folder / "test_hidden.py"
    path.write_text(path.read_text().replace('criterion("in-place")', 'criterion("inplace")'))
    broken = load(folder)
    with pytest.raises(CourseError, match="inplace"):
        node.grade(broken, receive(folder / "solutions/numpy_loop.py", 64))


def program(source):
    """A submission of one file."""
    files = {"solution.py": source.encode()}
    return Submission("it", files, digest(files))


DIES_ON_EMPTY = """
import os
import numpy as np
def work(x, steps):
    if not os.path.exists("survived"):
        os._exit(7)
    return x
def fill(out, value=0.5):
    out[...] = value + np.arange(out.size).reshape(out.shape)
def midpoint(f, a, b, n):
    h = (b - a) / n
    return h * sum(f(a + (i + 0.5) * h) for i in range(n))
"""


def test_what_one_criterion_has_ended_does_not_fail_the_next(node, basic, tmp_path):
    """Nine checks of one end their guests; the next criteria are checked all the same."""
    folder = tmp_path / "t_basic"
    shutil.copytree(basic.folder, folder)
    hidden = folder / "test_hidden.py"
    many = hidden.read_text().replace(
        "def test_random_arrays(submission, rng):",
        '@pytest.mark.parametrize("turn", range(9))\ndef test_random_arrays(submission, rng, turn):',
    )
    assert "turn" in many
    hidden.write_text(many)
    grade = node.grade(load(folder), program(DIES_ON_EMPTY))
    found = {c.id: c.verdict for c in grade.criteria}
    assert found["formula"] is Verdict.CRASHED and len(grade.criteria[1].evidence["checks"]) == 9
    assert found["in-place"] is found["callback"] is Verdict.PASSED, found


RIGHT = """
import time
import numpy as np
def work(x, steps):
    time.sleep({0})
    y = x.copy()
    for _ in range(steps):
        y = np.sqrt(y * y + 1.0)
    return y
"""


def test_who_uses_up_the_time_for_all_checks_is_late_and_not_our_failure(node, basic):
    """By four calls, each of which is in time and right."""
    short = replace(basic, limits=replace(basic.limits, grading_s=2.0))
    grade = node.grade(short, program(RIGHT.format(0.7)), only="formula")
    assert grade.criteria[0].verdict is Verdict.TIMED_OUT and not grade.ours, grade.criteria[0].evidence


def test_who_waits_for_others_to_measure_has_not_used_up_its_time(node, basic):
    """Half a minute of other people's duels, and two seconds for everything."""
    short = replace(basic, limits=replace(basic.limits, grading_s=1.0))
    room, news = Room(node.state), []
    with ThreadPoolExecutor(1) as pool:
        with room.exclusive():
            grading = pool.submit(node.grade, short, program(RIGHT.format(0.01)), only="formula", say=news.append)
            with pytest.raises(TimeoutError):
                grading.result(timeout=7)
        grade = grading.result(timeout=50)
    room.close()
    assert grade.criteria[0].verdict is Verdict.PASSED and grade.engine["attempt"] == 1, grade.criteria[0].evidence
    assert {n["phase"] for n in news} <= {"load", "check", "waits"}


def test_who_waits_for_others_to_measure_is_told_so(basic):
    """A student's own look begins at once, and may have to wait in the middle of it; without a word it looks like a deadlock."""
    room = Room(state_folder())
    command = [
        sys.executable,
        "-m",
        "autograder",
        "check",
        basic.slug,
        str(basic.folder / "solutions" / "numpy_loop.py"),
    ]
    environment = os.environ | {"AUTOGRADER_COURSE_FOLDER": str(basic.folder.parent)}
    with room.exclusive():
        looking = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired) as still:
            looking.communicate(timeout=15)
    assert looking.communicate(timeout=60)[0] and looking.returncode == 0
    room.close()
    assert "waiting for other gradings" in (still.value.stderr or b"").decode()


TELLS = """
import sys, time
seen = []
def work(x, steps):
    seen.append((x.shape, steps))
    if len(seen) < 4:
        for _ in range(steps):
            x = (x * x + 1.0) ** 0.5
        return x + 0.0
    guest = next(v["self"] for v in (f.f_locals for f in frames()) if hasattr(v.get("self"), "note"))
    guest.note("LEAK " + repr(seen))
    guest.channel.send(b"n")
    time.sleep(1)
    return x
def frames():
    frame = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back
"""


def test_a_function_that_claims_to_be_missing_carries_no_hidden_input_out(node, basic):
    """That sentence was shown with the guest's own words, in hidden checks, too."""
    grade = node.grade(basic, program(TELLS), only="formula")
    formula = grade.criteria[0]
    if formula.verdict is Verdict.MISSING_FUNCTION:
        assert "work(" in formula.sentence
    assert "LEAK" in str(formula.evidence)  # staff read what was tried
    assert "LEAK" not in formula.sentence and "LEAK" not in str(grade.for_student().to_json())
