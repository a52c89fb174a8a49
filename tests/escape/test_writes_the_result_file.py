"""Writes a result file that says passed, and leaves.

Stopped by OUT and DUMB: the judge reads no file that a guest wrote."""

from .arena import HONEST_REST

SOURCE = (
    HONEST_REST
    + """
import json, os
def work(x, steps):
    json.dump({"passed": True, "score": 100}, open("/work/result.json", "w"))
    os._exit(0)
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as crashed."""
    arena.fails(SOURCE, "crashed")


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "result-file"."""
    arena.fools(SOURCE, "result-file")
