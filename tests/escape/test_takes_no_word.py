"""Closes its ear, so that the judge's next word fails and the attempt looks like the grader's fault: another one for nothing."""

import pytest

from .arena import HONEST, submission

DEAF = """
import socket
def deafen():
    for number in range(3, 64):
        try:
            socket.fromfd(number, socket.AF_UNIX, socket.SOCK_SEQPACKET).shutdown(socket.SHUT_RD)
        except OSError:
            pass
"""
LEAVES = """
import os, threading
def deafen():
    threading.Timer(0.02, os._exit, (0,)).start()
"""
AT_ONCE = "\ndeafen()\n"
LATER = """
_work, _calls = work, []
def work(x, steps):
    _calls.append(0)
    if len(_calls) == 3: deafen()
    return _work(x, steps)
"""


@pytest.mark.parametrize("when", [AT_ONCE, LATER], ids=["import", "third-call"])
@pytest.mark.parametrize("how", [DEAF, LEAVES], ids=["deaf", "leaves"])
def test_it_is_the_submissions_own_doing(arena, how, when):
    """Whoever takes no word has crashed, the first time."""
    grade = arena.node.grade(arena.assignment, submission(HONEST + how + when))
    assert not grade.ours, [(c.id, c.verdict, c.evidence) for c in grade.criteria]
    assert {"crashed", "did-not-load"} & {str(c.verdict) for c in grade.criteria} and grade.score < grade.max_score
