"""A freezer does not stop a kernel: what it could read too early, or write too late, is the judge's alone, and the clock runs."""

import json
import os
import socket
import time

import numpy as np
import pytest

from autograder.course.load import load
from autograder.domain.device import SIMULATED
from autograder.domain.execution import Program
from autograder.domain.verdict import Verdict
from autograder.errors import SandboxError
from autograder.judge.buffers import bind, plan
from autograder.judge.device import MemoryDevice, MemoryStore
from autograder.judge.device_buffers import PIECE_BYTES, WHOLE_BYTES, DeviceBuffers, pieces
from autograder.judge.proxy import Actor
from autograder.judge.window import Turn
from autograder.measure.room import Room
from autograder.sandbox.process import NotIsolated, ProcessSandbox
from autograder.sandbox.profile import Profile

from .. import conftest

COPY_S = 0.03


class SlowStore(MemoryStore):
    """Copies between what is shared and what is not take their time."""

    def reveal(self, offset: int, size: int, shift: int = 0) -> None:
        """See `Store`."""
        time.sleep(COPY_S)
        super().reveal(offset, size, shift)

    def seize(self, offset: int, size: int, shift: int = 0) -> None:
        """See `Store`."""
        time.sleep(COPY_S)
        super().seize(offset, size, shift)


class SlowDevice(MemoryDevice):
    """Of such stores."""

    def allocate(self, size: int) -> MemoryStore:
        """See `Device`."""
        return SlowStore(size)


@pytest.fixture(scope="module")
def course():
    """The test assignment whose arrays live on a device."""
    return load(conftest.FIXTURES / "assignments" / "t_gpu")


@pytest.fixture
def buffers():
    """Of a guest that is not there."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    found = DeviceBuffers(ours, MemoryDevice())
    yield found
    found.close()
    ours.close()
    theirs.close()


def places(buffers):
    """Where the call's first argument and its first result lie, as the guest reads it."""
    length = int.from_bytes(buffers.input.view[:8], "little")
    header = json.loads(buffers.input.view[8 : 8 + length])
    return header["a"][0]["o"], header["r"][0]["o"] if header["r"] else header["a"][0]["o"]


def seen(store) -> bytes:
    """What a kernel that was left running would find there."""
    return os.pread(store.descriptor, store.size, 0)


def laid_out(course, buffers, name, *given):
    """A call that is prepared."""
    function = course.function(name)
    layout = plan(function, bind(function, given, {}), {}, packed=True)
    buffers.fits(layout.input_bytes, layout.output_bytes)
    buffers.prepare(layout)
    return layout


def test_inputs_are_in_shared_memory_only_when_the_clock_runs(course, buffers):
    """Neither what is read nor what is changed in place; the poison may be there."""
    x, out = np.full(32, 1.25, np.float32), np.full((2, 3), 2.5, np.float32)
    layout = laid_out(course, buffers, "work", x, 3)
    assert x.tobytes() not in seen(buffers.given)
    buffers.reveal(layout)
    assert x.tobytes() in seen(buffers.given)
    layout = laid_out(course, buffers, "fill", out, 1.0)
    assert out.tobytes() not in seen(buffers.asked)
    buffers.reveal(layout)
    assert out.tobytes() in seen(buffers.asked)


@pytest.mark.parametrize("spread", [1 << 20, 0], ids=["mostly elsewhere", "always the same place"])
def test_who_waits_where_inputs_were_waits_in_vain(course, buffers, spread):
    """As a stream that waits for a word to change would: it starts with the copy, not with the call, if it knows where.

    In less than half of the rounds it does: a median is decided by the others.
    """
    buffers.device.spread = spread
    woken, calls = 0, 40
    for value in range(calls):
        x = places(buffers)[0] if value else 0
        before = os.pread(buffers.given.descriptor, 128, x)
        buffers.reveal(laid_out(course, buffers, "work", np.full(32, value + 1, np.float32), 3))
        woken += bool(value) and os.pread(buffers.given.descriptor, 128, x) != before
    # one in three is meant: 13 of 39 with a deviation of 3
    assert woken == calls - 1 if spread == 0 else woken < 28


def test_what_is_written_after_the_answer_was_seized_changes_nothing(course, buffers):
    """Right numbers that come too late are no answer, and wrong ones do no harm."""
    layout = laid_out(course, buffers, "work", np.ones(32, np.float32), 3)
    buffers.reveal(layout)
    x, y = places(buffers)
    for value, moment in ((1.0, "before"), (2.0, "after")):
        os.pwrite(buffers.asked.descriptor, np.full(32, value, np.float32).tobytes(), y)
        if moment == "before":
            buffers.seize(layout)
    assert (buffers.capture(layout)[0] == 1.0).all()
    assert not buffers.modified(layout)
    os.pwrite(buffers.given.descriptor, b"\1", x)
    assert buffers.modified(layout)


def test_a_number_that_comes_after_the_answer_was_seized_is_not_read(course, buffers):
    """Scalars lie in a memory file, which a guest's device may write to, too."""
    layout = laid_out(course, buffers, "work", np.ones(32, np.float32), 3)
    buffers.reveal(layout)
    total = layout.returns[1].on(buffers.output.view)
    total[...] = 1.0
    buffers.seize(layout)
    total[...] = 2.0
    assert buffers.capture(layout)[1] == 1.0


@pytest.mark.parametrize("others", ["", "other processes used the GPU (1)"])
def test_work_that_a_stranger_may_have_left_is_not_the_programs(course, others):
    """Where nobody else is on the device it is; else the grading is ours to do again."""

    class Busy(MemoryDevice):
        def left_running(self):
            return True

        def neighbours(self, ours):
            return others

    actor = Actor.__new__(Actor)
    actor.device, actor.ours, actor.buffers = Busy(), lambda pid: False, []
    turn = Turn(Verdict.PASSED, 0.0)
    if others:
        with pytest.raises(SandboxError, match="perhaps not the program's"):
            actor._outcome(turn, course.function("work"), [], 0)
    else:
        assert actor._outcome(turn, course.function("work"), [], 0).verdict is Verdict.WORK_LEFT_RUNNING


def test_pieces_of_a_large_input_are_compared(course, buffers):
    """Whoever writes over it is found, at its ends always, and whoever does not is left alone."""
    x = np.ones(WHOLE_BYTES // 4 + 1000, np.float32)
    layout = laid_out(course, buffers, "work", x, 3)
    buffers.reveal(layout)
    assert not buffers.modified(layout)
    slot = layout.inputs[0][0]
    wrong = np.full(len(x), 2.0, np.float32).tobytes()
    for at, size in ((0, 4), (slot.span - 4, 4), (PIECE_BYTES, slot.span - 2 * PIECE_BYTES)):
        os.pwrite(buffers.given.descriptor, wrong[:size], places(buffers)[0] + at)
        assert buffers.modified(layout)
        buffers.prepare(layout)
        buffers.reveal(layout)
        assert not buffers.modified(layout)


@pytest.mark.parametrize("span", [0, 1, WHOLE_BYTES, WHOLE_BYTES + 1, 5 * WHOLE_BYTES])
def test_pieces_lie_inside(span):
    """Of nothing, none; of a small array, all of it."""
    found = pieces(span)
    assert all(at >= 0 and size > 0 and at + size <= span for at, size in found)
    assert sum(size for _, size in found) == span if span <= WHOLE_BYTES else len(found) > 10


def test_the_clock_counts_both_copies(course, tmp_path):
    """It starts before the question can be read, and stops when the judge owns the answer; an empty call costs as much."""
    profile = Profile("", (0,), 512, 64, 16, ("numpy",), device=SIMULATED)
    with pytest.warns(NotIsolated):
        guest = ProcessSandbox().start(profile, "clock")
    room = Room(tmp_path)
    actor = Actor(guest, course, room, SlowDevice())
    try:
        source = (course.folder / "solutions/any_device.py").read_bytes()
        assert actor.load(Program({"solution.py": source})) is None
        work = course.function("work")
        call, empty = (
            actor.call(work, (np.ones(8, np.float32), 1)),
            actor.empty(work, (np.ones(8, np.float32), 1), {}, 0.0),
        )
        assert call.verdict is empty.verdict is Verdict.PASSED
        assert call.elapsed_s >= 2 * COPY_S and empty.elapsed_s >= 2 * COPY_S
        assert call.outputs[0] == pytest.approx(np.full(8, np.sqrt(2.0)))
    finally:
        actor.close()
        guest.remove()
        room.close()
