"""Leaves results in `/dev/shm` for whoever comes next.

Stopped by NEW: a private ipc namespace, gone with its container."""

from .arena import SLOW

SOURCE = (
    SLOW
    + """
import hashlib, os
_right = work
def work(x, steps):
    name = "/dev/shm/" + hashlib.sha256(x.tobytes()).hexdigest()
    if os.path.exists(name):
        return np.fromfile(name).reshape(x.shape)
    y = _right(x, steps)
    if x.size > 5000 and len(os.listdir("/dev/shm")) < 20:
        y.tofile(name)
    return y
"""
)


def test_the_judge_is_not_fooled(arena):
    """It ends as too-slow."""
    first = arena.fails(SOURCE, "too-slow")
    # the next student's inputs are others; here they are the same, so that whatever was left behind would serve
    arena.fails(SOURCE, "too-slow", seed=first.engine["entropy"])


def test_a_weaker_grader_is(arena):
    """The attack bites where the grader has the weakness "shared-scratch"."""
    arena.fools(SOURCE, "shared-scratch")
