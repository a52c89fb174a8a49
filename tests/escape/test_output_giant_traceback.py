"""An exception with a megabyte of text, to fill reports, databases and patience.

Stopped by output: what a guest says is cut before it is kept."""

import json

import pytest

from autograder.api import receive

SOURCE = """
def work(x, steps):
    raise ValueError("A" * 900_000)
"""


@pytest.mark.docker
def test_the_report_is_cut(tmp_path, node, basic):
    """Everything that is kept of it is small."""
    path = tmp_path / "s.py"
    path.write_text(SOURCE)
    grade = node.grade(basic, receive(path, 64), only="examples")
    assert grade.criteria[0].verdict in ("crashed", "too-much-output")
    assert len(json.dumps(grade.to_json())) < 50_000


def test_a_naive_report_is_filled():
    """An exception's text is as long as its author likes."""
    space: dict = {}
    exec(SOURCE, space)
    with pytest.raises(ValueError) as caught:
        space["work"](0, 0)
    assert len(str(caught.value)) == 900_000
