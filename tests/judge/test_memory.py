"""Which memory a call's arrays get: not the pages of the call before, but those of its own last temporary."""

import numpy as np
import pytest

from autograder.api import Options
from autograder.domain.execution import Program
from autograder.guest.shim import Guest
from autograder.judge.proxy import Actor
from autograder.measure.room import Room
from autograder.sandbox.profile import Profile
from autograder.sandbox.state import state_folder

FAULTS = b"""
import resource
import numpy as np

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def work(x, steps):
    begin = faults()
    y = np.ones(100_000)
    first = faults()
    for _ in range(100):
        y = y * y + 1.0 - y
    return np.array([first - begin, faults() - first, 0.0, 0.0])
"""
PAGES = 100_000 * 8 // 4096


@pytest.mark.docker
def test_arrays_draw_fresh_pages_each_call_and_share_them_within(node, basic, engine):
    """A hundred lines of NumPy touch some arrays' pages, not three hundred; the next call touches them anew, not those that lie ready."""
    cores = node.slots(basic)[-1]
    profile = Profile(Options().image, cores, preload=("numpy",), memory_mb=256, processes=32, scratch_mb=16)
    room = Room(state_folder())
    guest = engine.start(profile, "memory")
    actor = Actor(guest, basic, room)
    try:
        assert actor.load(Program({"solution.py": FAULTS})) is None
        said = [actor.call(basic.function("work"), (np.zeros(4), 1)).outputs[0] for _ in range(4)]
    finally:
        actor.close()
        guest.remove()
        room.close()
    for first, rest, *_ in said:
        assert PAGES <= first < 2 * PAGES, said
        assert rest < 4 * PAGES, said


def test_an_empty_call_copies_no_result():
    """Whoever computes into the result's own place saves the copy; were it taken off as well, he would be paid twice."""
    guest = Guest.__new__(Guest)
    guest.output = bytearray(1 << 16)
    spec = {"s": [1000], "d": "<f8", "o": 4096}
    result = guest.stand_in({"spin": 0.0, "r": [spec], "end": 0})()
    place = np.frombuffer(guest.output, dtype=np.uint8)
    assert np.shares_memory(result, place) and result.ctypes.data - place.ctypes.data == 4096
