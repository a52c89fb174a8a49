"""A code cell of a million empty lines, which is not exported and so meets no limit but the notebook's own.

Stopped by searching a line at a time: a pattern that may eat line ends begins anew at each of them, in time that grows
with the square, and holds the interpreter of the node meanwhile."""

import json
import re
import time

from autograder.course.cells import runnable

LINES = 4000
NAIVE = re.compile(r"^\s*(?:%{1,2}autograde\b|!.*\bautograder\b)", re.MULTILINE)


def notebook(lines):
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "outputs": [], "source": "\n" * lines + "x"}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()


def seconds(action):
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def test_the_reader_is_not_held():
    """A hundred times what hurts the naive one, in less time."""
    assert len(runnable(notebook(2))) == 1
    assert seconds(lambda: runnable(notebook(100 * LINES))) < seconds(lambda: NAIVE.search("\n" * LINES + "x"))


def test_a_naive_reader_is_hurt():
    """Twice the lines take more than twice the time."""
    assert seconds(lambda: NAIVE.search("\n" * LINES + "x")) > 2.5 * seconds(
        lambda: NAIVE.search("\n" * (LINES // 2) + "x")
    )
