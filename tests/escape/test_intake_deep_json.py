"""A notebook nested a hundred thousand levels deep.

Stopped by intake: the depth is measured before any parser sees the bytes."""

import json

import pytest

from autograder.api import SubmissionError, receive

from . import naive


def cell(source, **metadata):
    return {"cell_type": "code", "source": source, "metadata": metadata}


def notebook():
    return b'{"nbformat": 4, "cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def test_the_intake_refuses(tmp_path):
    """With a sentence."""
    path = tmp_path / "s.ipynb"
    path.write_bytes(notebook())
    with pytest.raises(SubmissionError, match="levels deep"):
        receive(path, 64)


def test_a_naive_intake_is_hurt():
    """The parser's own recursion ends the grader's request with an error of ours."""
    with pytest.raises(RecursionError):
        naive.cells(notebook())
