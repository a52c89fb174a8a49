"""Whatever a student hands in gets its own verdict and sentence; never a traceback of ours."""

import io
import zipfile

import pytest

from autograder.api import Submission
from autograder.course.intake import MAX_FILES, MAX_NAME, receive_bytes
from autograder.domain.submission import digest
from autograder.domain.verdict import Verdict, sentence

pytestmark = pytest.mark.docker

HONEST = """
import numpy as np
def fill(out, value): out[...] = value + np.arange(out.size).reshape(out.shape)
def midpoint(f, a, b, n): return sum(f(a + (i + .5) * (b - a) / n) for i in range(n)) * (b - a) / n
"""

CASES = {
    "a missing function": (HONEST, "missing-function", "work"),
    "a function that is not written yet": (HONEST + "def work(x, steps): raise NotImplementedError\n", "missing-function", "work(x"),
    "what a library lacks": (HONEST + "import asyncio\ndef work(x, steps): asyncio.AbstractEventLoop().run_forever()\n", "crashed", "NotImplementedError"),
    "too few parameters": (HONEST + "def work(x): return x\n", "crashed", ""),
    "a syntax error": ("def work(x, steps:\n    pass\n", "did-not-load", "line 1"),
    "an absent library": ("import tensorflow_of_my_own\n" + HONEST, "did-not-load", "tensorflow_of_my_own"),
    "an error at import": ("1 / 0\n", "did-not-load", "ZeroDivisionError"),
    "exit at import": ("import sys\nsys.exit(0)\n", "did-not-load", "sys.exit"),
    "infinite recursion": (HONEST + "def work(x, steps): return work(x, steps)\n", "crashed", ""),
    "a crash of the interpreter": (HONEST + "import ctypes\ndef work(x, steps): ctypes.string_at(0)\n", "crashed", ""),
    "a gigabyte of output": (HONEST + "def work(x, steps):\n    for _ in range(1024): print('x' * (1 << 20))\n    return x\n", "too-much-output", "print"),
    "another shape": (HONEST + "def work(x, steps): return np.zeros((2, 2))\n", "wrong-shape", ""),
    "another dtype": (HONEST + "def work(x, steps): return x.astype(np.float32)\n", "wrong-shape", ""),
    "nothing": (HONEST + "def work(x, steps): return None\n", "wrong-shape", ""),
    "not a number": (HONEST + "def work(x, steps): return x * np.nan\n", "not-finite", ""),
    "changed inputs": (HONEST + "def work(x, steps):\n    for _ in range(steps): x[...] = np.sqrt(x * x + 1)\n    return x.copy()\n", "inputs-modified", ""),
    "an endless loop": (HONEST + "def work(x, steps):\n    while True: pass\n", "timed-out", ""),
    "an endless import": ("while True: pass\n", "timed-out", ""),
    "too much memory": (HONEST + "def work(x, steps): return np.ones(1 << 29)[: len(x)]\n", "out-of-memory", ""),
    "an exit in a call": (HONEST + "import os\ndef work(x, steps): os._exit(0)\n", "crashed", ""),
    "a wrong answer": (HONEST + "def work(x, steps): return x + 0.0\n", "wrong-answer", ""),
    "zero bytes": ("", "missing-function", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_has_its_own_verdict_and_sentence(name, node, basic):
    """And the public check tells the student what happened."""
    source, verdict, word = CASES[name]
    files = {"solution.py": source.encode()}
    grade = node.grade(basic, Submission(name, files, digest(files)))
    public = grade.criteria[0]
    assert public.verdict == verdict, public.evidence
    assert public.sentence.startswith(sentence(Verdict(verdict)))
    assert word in public.sentence
    assert not grade.ours
    assert "autograder/" not in public.sentence
    assert grade.score < grade.max_score


def test_a_hidden_check_leaks_no_value(node, basic):
    """What the student's code raises with the input in it does not come back."""
    source = (
        HONEST
        + "def work(x, steps):\n    if len(x) > 3: raise ValueError('LEAK' + repr(x))\n    for _ in range(steps): x = np.sqrt(x * x + 1)\n    return x\n"
    )
    files = {"solution.py": source.encode()}
    grade = node.grade(basic, Submission("leak", files, digest(files)))
    assert grade.criteria[0].verdict is Verdict.PASSED
    assert grade.criteria[1].verdict is Verdict.CRASHED
    shown = str(grade.for_student().to_json())
    assert "LEAK" not in shown
    assert "LEAK" in str(grade.to_json())


def test_a_result_of_another_shape_is_told_what_is_declared(node, basic):
    """In hidden checks, too: the signature is in the handout's folder. A hint at the mathematics would lead astray."""
    files = {"solution.py": (HONEST + "def work(x, steps): return np.zeros((2, 2))\n").encode()}
    hidden = node.grade(basic, Submission("shape", files, digest(files)), only="formula").criteria[0]
    assert not hidden.public and hidden.verdict is Verdict.WRONG_SHAPE
    assert "Declared is work(x: f8[n]" in hidden.sentence and "Compare one element" not in hidden.sentence


def test_messages_speak_of_cells_when_a_notebook_was_handed_in(node, basic):
    """Line 2 of the third cell, not line 7 of a file the student never saw."""
    lines = {1: (3, 1), 2: (3, 2)}
    files = {"solution.py": b"def work(x, steps):\n    return 1 / 0\n"}
    grade = node.grade(basic, Submission("nb.ipynb", files, digest(files), lines))
    assert "cell 3, line 2" in grade.criteria[0].sentence


def test_an_import_that_failed_is_told_once_and_by_the_cell(node, basic):
    """Every criterion has met it; the student reads it in the first."""
    lines = {1: (3, 1), 2: (3, 2)}
    files = {"solution.py": b"import math\nwork = 1 / 0\n"}
    first, *others = node.grade(basic, Submission("nb.ipynb", files, digest(files), lines)).criteria
    assert "cell 3, line 2" in first.sentence and "ZeroDivisionError" in first.sentence
    assert len(others) > 1 and {c.sentence for c in others} == {
        "Your code could not be imported. The message is above."
    }
    assert all("ZeroDivisionError" in c.evidence["checks"][0]["detail"] for c in others)


def test_a_slow_solution_with_a_callback_is_slow_and_not_forbidden(node, basic):
    """The deadline nearly always passes while the judge is being asked."""
    source = HONEST + "def work(x, steps):\n    for _ in range(steps): x = np.sqrt(x * x + 1)\n    return x + 0.0\n"
    source += "def midpoint(f, a, b, n):\n    while True: f(0.5)\n"
    files = {"solution.py": source.encode()}
    grade = node.grade(basic, Submission("slow", files, digest(files)), only="callback")
    assert grade.criteria[0].verdict is Verdict.TIMED_OUT, grade.criteria[0]


def test_names_as_many_and_as_long_as_intake_allows_are_no_mistake_of_the_course(node, basic):
    """Two hundred of them, two hundred characters of four bytes each; each file is where it was."""
    program = f"""
import pathlib
import numpy as np
found = [p for p in pathlib.Path().rglob("*") if p.suffix == ".txt" and p.read_text() == p.name]
assert len(found) == {MAX_FILES - 1}, len(found)
def work(x, steps):
    for _ in range(steps): x = np.sqrt(x * x + 1.0)
    return x
"""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr("solution.py", program)
        for i in range(MAX_FILES - 1):
            name = f"{'🚀' * 60}/{'🛰' * 60}/{'🌍' * 60}/"
            name += f"{i:.>{MAX_NAME - len(name) - 4}}.txt"
            archive.writestr(name, name.rpartition("/")[2])
    handed_in = receive_bytes("long.zip", raw.getvalue(), basic.limits.submission_kb)
    assert max(len(name) for name in handed_in.files) == MAX_NAME
    (result,) = node.grade(basic, handed_in, only="formula").criteria
    assert result.verdict is Verdict.PASSED, result
