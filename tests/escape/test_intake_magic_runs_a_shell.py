"""A shell escape and a top-level experiment in an exported cell.

Stopped by intake: magics and experiments are left out; the rest keeps its line numbers."""

import json

import pytest

from autograder.api import SubmissionError, receive

from . import naive


def cell(source, **metadata):
    return {"cell_type": "code", "source": source, "metadata": metadata}


def notebook():
    source = "!touch owned\n%cd /\ndef work(x):\n    return x\nprint(work(open('/etc/passwd').read()))\n"
    return json.dumps({"nbformat": 4, "cells": [cell(source, tags=["export"])]}).encode()


def test_the_intake_keeps_the_function_alone(tmp_path):
    """Line three stays line three."""
    path = tmp_path / "s.ipynb"
    path.write_bytes(notebook())
    source = receive(path, 64).files["solution.py"].decode()
    assert source.rstrip() == "\n\ndef work(x):\n    return x"
    with pytest.raises(SubmissionError, match="marked for export"):
        path.write_bytes(notebook().replace(b"export", b"other"))
        receive(path, 64)


def test_a_naive_intake_is_hurt():
    """What it would run holds the shell escape and the experiment."""
    assert "!touch owned" in naive.cells(notebook()) and "print(" in naive.cells(notebook())
