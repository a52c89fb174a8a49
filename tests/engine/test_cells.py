"""Notebooks' cells in a real container of the student image: honest ones, hungry ones, and ones that lie."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from autograder.api import Node, Options, Shown, find, load
from autograder.course.cells import png
from autograder.domain.shown import CUT, CellLimits, End, sentence
from autograder.engine.cells import show
from autograder.measure.room import Room
from autograder.sandbox.state import state_folder

pytestmark = [pytest.mark.docker, pytest.mark.hub]
LIMITS = CellLimits()
Run = Callable[..., Shown]


def notebook(*sources: str, metadata: dict[int, dict[str, object]] | None = None) -> bytes:
    """As a student hands it in."""
    cells = [
        {"cell_type": "code", "id": f"c{i}", "source": s, "metadata": (metadata or {}).get(i, {}), "outputs": []}
        for i, s in enumerate(sources)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


@pytest.fixture(scope="module")
def run(engine: object) -> Iterator[Run]:
    """Runs cells on a node."""
    work = load(find("a04_heat_plate"))
    with Node(Options(slots=1)) as node:
        room = Room(node.state)

        def go(*sources: str, limits: CellLimits = LIMITS, **more: dict[int, dict[str, object]]) -> Shown:
            return show(node, room, 0, work, "a04_heat_plate.ipynb", notebook(*sources, **more), limits)

        yield go
        room.close()


def test_what_is_shown_and_what_is_not(run: Run) -> None:
    """Figure, text, traceback, a flood, HTML, a forged result, and a kernel that dies, in one notebook."""
    test_cell = {"nbgrader": {"grade": True, "solution": False, "grade_id": "t", "points": 5}}
    shown = run(
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint('drawn', end='')",
        "1 / 0",
        "print('x' * 10_000_000)",
        "from IPython.display import HTML, Javascript, SVG, Markdown, Latex, Image, display\n"
        "display(HTML('<script>alert(1)</script>'), Javascript('alert(1)'), Markdown('<b>b</b>'), Latex('$x$'))\n"
        "display({'text/html': '<i>only</i>'}, raw=True)\n"
        "display({'image/png': 'PHN2Zz4='}, raw=True)\n"
        "display({'image/svg+xml': '<svg onload=alert(1)/>'}, raw=True)",
        "print('\\x1b[31mred\\x1b[0m\\x07 \\u202egnp.exe')\n100",
        "points = 100",
        "import os, signal, time\nprint('last words', flush=True)\ntime.sleep(0.5)  # a thread of the kernel's sends them\n"
        "os.kill(os.getpid(), signal.SIGKILL)",
        "print('after')",
        metadata={5: test_cell},
    )
    cells = {c.position: c for c in shown.cells}
    assert sorted(cells) == [0, 1, 2, 3, 4, 6, 7], "a test cell is not run"
    text, image = cells[0].outputs
    assert text == {"kind": "stream", "name": "stdout", "text": "drawn"}
    assert base64.b64decode(image["png"]).startswith(b"\x89PNG") and not cells[0].note
    assert cells[1].outputs[0]["ename"] == "ZeroDivisionError" and "\x1b" not in cells[1].outputs[0]["traceback"]
    assert len(cells[2].outputs[0]["text"]) == LIMITS.text_bytes and CUT in cells[2].note
    whole = json.dumps(cells[3].outputs)
    assert "alert" not in whole and "svg" not in whole and "only" not in whole
    assert [o["text"] for o in cells[3].outputs if "IPython" not in o["text"]] == ["<b>b</b>", "$x$"]
    assert {o["kind"] for o in cells[3].outputs} == {"text"}
    assert [o["text"] for o in cells[4].outputs] == ["red gnp.exe\n", "100"]
    assert {o["kind"] for o in cells[4].outputs} == {"stream", "text"}
    assert cells[6].note == sentence(End.DIED, LIMITS) and cells[6].outputs[0]["text"] == "last words\n"
    assert cells[7].note == sentence(End.NOT_RUN, LIMITS) and not cells[7].outputs


def test_cells_may_fork(run: Run) -> None:
    """Whoever waits for children goes on. What they print is lost: the kernel would bind an internet socket for it."""
    shown = run(
        "import multiprocessing\nfork = multiprocessing.get_context('fork')\n"
        "children = [fork.Process(target=print, args=('from a child',)) for _ in range(2)]\n"
        "for c in children: c.start()\nfor c in children: c.join(20)\nprint([c.exitcode for c in children])",
        "with fork.Pool(2) as pool: print(pool.map(abs, [-1, 2]))",
        "print('after')",
    )
    texts = ["".join(o["text"] for o in c.outputs) for c in shown.cells]
    assert not any(c.note for c in shown.cells) and texts[1:] == ["[1, 2]\n", "after\n"], texts
    assert texts[0].endswith("[0, 0]\n"), texts


def test_a_cell_without_an_end_is_stopped(run: Run) -> None:
    """It keeps what it printed; what comes after is not run, and says so."""
    short = CellLimits(cell_s=2.0)
    shown = run("print('begun', flush=True)\nwhile True: pass", "print('after')", limits=short)
    assert [c.note for c in shown.cells] == [sentence(End.TIME, short), sentence(End.NOT_RUN, short)]
    assert shown.cells[0].outputs[0]["text"] == "begun\n" and not shown.cells[1].outputs


def test_a_cell_that_kills_all_around_it_shows_nothing(run: Run) -> None:
    """The runner dies with the kernel: cells before it keep what they showed."""
    shown = run("print('before')", "import os\nos.kill(-1, 9)", "print('after')")
    assert [len(c.outputs) for c in shown.cells] == [1, 0, 0]
    assert shown.cells[1].note == sentence(End.DIED, LIMITS)


def test_time_in_which_all_was_frozen_costs_a_cell_nothing(run: Run) -> None:
    """Somebody measures for longer than a cell may take, while one is under way."""
    done = threading.Event()

    def measure() -> None:
        own = Room(state_folder())
        while not done.is_set():
            with own.exclusive():
                time.sleep(3)
            time.sleep(0.5)
        own.close()

    neighbour = threading.Thread(target=measure)
    neighbour.start()
    try:
        cell = "import time\nfor i in range(8): time.sleep(0.1); print(i, end='', flush=True)"
        shown = run(cell, limits=CellLimits(cell_s=2.0))
    finally:
        done.set()
        neighbour.join()
    assert shown.cells[0].note == "" and "".join(o["text"] for o in shown.cells[0].outputs) == "01234567"


def test_errors_count_as_text(run: Run) -> None:
    """Many long ones beside a full page of text."""
    cell = (
        "for i in range(40):\n    try:\n        raise ValueError('v' * 4000)\n"
        "    except ValueError:\n        get_ipython().showtraceback()\nprint('x' * 100_000)"
    )
    shown = run(cell, "print('after')")
    assert shown.cells[0].note == CUT and shown.cells[1].outputs[0]["text"] == "after\n"


def test_a_cell_that_eats_memory_is_named(run: Run) -> None:
    """The kernel is killed by the container's limit."""
    shown = run("b = bytearray(1 << 34)\nb[::4096] = b'1' * len(b[::4096])", "print('after')")
    assert shown.cells[0].note == sentence(End.MEMORY, LIMITS) or shown.cells[0].outputs[0]["ename"] == "MemoryError"


def test_only_real_pictures_pass() -> None:
    """Signature, chunks, sides; what is appended or hidden between the chunks is gone."""
    import io

    import matplotlib.pyplot as plt

    out = io.BytesIO()
    figure = plt.figure(figsize=(1, 1))
    figure.savefig(out, format="png", metadata={"Comment": "<script>hidden</script>"})
    plt.close(figure)
    good = out.getvalue()
    assert b"hidden" in good
    kept = base64.b64decode(png(base64.b64encode(good + b"<script>behind</script>").decode(), LIMITS))
    assert kept.startswith(b"\x89PNG") and b"script" not in kept and kept.endswith(b"IEND\xaeB`\x82")
    wide = good[:16] + (1 << 20).to_bytes(4, "big") + good[20:]
    vast = good[:16] + (4096).to_bytes(4, "big") + (4095).to_bytes(4, "big") + good[24:]
    assert png(base64.b64encode(vast).decode(), LIMITS) == ""  # two kilobytes that ask a browser for 64 MB
    for bad in (b"<svg/>", b"GIF89a", good[:8], good[:60], wide, b""):
        assert png(base64.b64encode(bad).decode(), LIMITS) == ""
    assert png("not base64!", LIMITS) == "" and png(7, LIMITS) == "" and png("A" * (1 << 20), LIMITS) == ""
