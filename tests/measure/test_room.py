"""The node's timing room, with real processes and real locks."""

import multiprocessing
import time
from pathlib import Path

from autograder.measure.room import Room

CONTEXT = multiprocessing.get_context("spawn")


def _visit(folder: str, log: str, seconds: float, alone: bool) -> None:
    room = Room(Path(folder))
    with room.exclusive() if alone else room.shared():
        begun = time.monotonic()
        time.sleep(seconds)
        with Path(log).open("a", encoding="ascii") as file:
            file.write(f"{int(alone)} {begun} {time.monotonic()}\n")


def test_nobody_is_in_the_room_with_a_duel(tmp_path):
    """Four sharers and two duels at once: no visit overlaps a duel's."""
    log = tmp_path / "log"
    visits = [CONTEXT.Process(target=_visit, args=(str(tmp_path), str(log), 0.1, i % 3 == 0)) for i in range(6)]
    for visit in visits:
        visit.start()
    for visit in visits:
        visit.join()
    rows = [line.split() for line in log.read_text().splitlines()]
    spans = [(kind == "1", float(a), float(b)) for kind, a, b in rows]
    assert len(spans) == 6
    for i, (alone, a, b) in enumerate(spans):
        for other, c, d in spans[i + 1 :]:
            if alone or other:
                assert b <= c or d <= a


def test_a_holder_that_dies_frees_the_room(tmp_path):
    """The kernel gives a dead process's lock back."""
    holder = CONTEXT.Process(target=_visit, args=(str(tmp_path), str(tmp_path / "log"), 60.0, True))
    holder.start()
    room = Room(tmp_path)
    until = time.monotonic() + 10
    while not (tmp_path / "room.lock").exists() or not _held(room):
        assert time.monotonic() < until
        time.sleep(0.05)
    holder.kill()
    holder.join()
    with room.exclusive():
        assert room.alone


def _held(room: Room) -> bool:
    import fcntl

    try:
        fcntl.flock(room._room, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(room._room, fcntl.LOCK_UN)
    return False
