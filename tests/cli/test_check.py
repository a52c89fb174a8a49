"""What `autograder check` tells a shell."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from autograder.cli import grading
from autograder.domain.grade import CriterionResult, Grade
from autograder.domain.verdict import Verdict
from tests.conftest import FIXTURES


def reached(*verdicts):
    """A grade of a criterion each."""
    rows = tuple(CriterionResult(v, v, 0.0, 5.0, v, "…", True) for v in verdicts)
    return Grade("t_basic", "s.py", "00", rows, {}, {}, 1.0, 0.5)


class Fixed:
    """In a node's place."""

    found = reached(Verdict.PASSED)

    def __init__(self, _options):
        pass

    def __enter__(self):
        return SimpleNamespace(grade=lambda *_, **__: self.found)

    def __exit__(self, *_):
        pass


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ((Verdict.PASSED,), 0),
        ((Verdict.PASSED, Verdict.WAITING_FOR_HARDWARE), 0),
        ((Verdict.WRONG_ANSWER, Verdict.WAITING_FOR_HARDWARE), 1),
        ((Verdict.WRONG_ANSWER, Verdict.GRADER_FAILED), 1),
        ((Verdict.PASSED, Verdict.INCONCLUSIVE), 3),
        ((Verdict.GRADER_FAILED,), 3),
    ],
)
def test_only_what_a_student_missed_is_missed(verdicts, code, tmp_path, monkeypatch):
    """What waits for hardware is no failure, and what failed on our side is ours."""
    monkeypatch.setattr(Fixed, "found", reached(*verdicts))
    monkeypatch.setattr(grading, "Node", Fixed)
    file = tmp_path / "s.py"
    file.write_text("def work(x, steps):\n    return x\n")
    done = CliRunner().invoke(grading.check, [str(FIXTURES / "assignments" / "t_basic"), str(file)])
    assert done.exit_code == code, done.output
