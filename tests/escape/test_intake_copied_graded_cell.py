"""A graded cell pasted twice: the gradebook counts one of them, the student sees the other.

Stopped by intake: two cells of one id are refused."""

import json

import pytest

from autograder.api import SubmissionError, receive

from . import naive


def cell(source, **metadata):
    return {"cell_type": "code", "source": source, "metadata": metadata}


def notebook():
    both = [cell("def work(x):\n    return x\n", tags=["export"], nbgrader={"grade_id": "a"}) for _ in range(2)]
    return json.dumps({"nbformat": 4, "cells": both}).encode()


def test_the_intake_refuses(tmp_path):
    """And says what to do."""
    path = tmp_path / "s.ipynb"
    path.write_bytes(notebook())
    with pytest.raises(SubmissionError, match="delete one"):
        receive(path, 64)


def test_a_naive_intake_is_hurt():
    """Both copies run, the last wins."""
    assert naive.cells(notebook()).count("def work") == 2
