"""A notebook that is one long string of escaped quotes, never closed.

Stopped by intake: measuring the depth takes one pass. A search that needs the closing quote begins anew at each inner
one, and holds the interpreter meanwhile: 40 KB cost 5 s, and sixteen megabytes the whole service."""

import time

import pytest

from autograder.api import SubmissionError, receive_bytes

from . import naive

QUOTES = 4000


def notebook(quotes):
    return b'{"nbformat": 4, "cells": "' + b'\\"' * quotes


def seconds(action):
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def test_the_intake_refuses_at_once():
    """A hundred times what hurts the naive one, in less time."""
    raw = notebook(100 * QUOTES)

    def refused():
        with pytest.raises(SubmissionError, match="not JSON"):
            receive_bytes("s.ipynb", raw, 64)

    assert seconds(refused) < seconds(lambda: naive.depth(notebook(QUOTES)))


def test_a_naive_intake_is_hurt():
    """Twice the bytes take more than twice the time."""
    assert seconds(lambda: naive.depth(notebook(QUOTES))) > 2.5 * seconds(lambda: naive.depth(notebook(QUOTES // 2)))
