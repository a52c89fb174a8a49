"""Extraction from notebooks."""

import json

import pytest

from autograder.api import SubmissionError
from autograder.course.notebook import extract


def notebook(*cells, **extra):
    """Bytes of a notebook from (source, tags) pairs."""
    made = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "metadata": {"tags": tags},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for i, (source, tags) in enumerate(cells)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made, **extra}).encode()


def test_only_marked_cells_are_exported():
    """By tag or by first line; experiments stay behind."""
    raw = notebook(("import numpy as np", ["export"]), ("1 / 0", []), ("# export\ndef f():\n    return 1", []))
    source, lines = extract(raw)
    assert source.decode() == "import numpy as np\n# export\ndef f():\n    return 1\n"
    assert lines == {1: (1, 1), 2: (3, 1), 3: (3, 2), 4: (3, 3)}


def test_magics_displays_and_main_blocks_are_left_out_and_lines_keep_their_numbers():
    """What runs on its own does not run in the grader."""
    cell = "%matplotlib inline\n!ls\ndef f():\n    return 1\nf\nprint(f())\nplt.plot([1])\nif __name__ == '__main__':\n    1 / 0\nx = f()"
    source, lines = extract(notebook((cell, ["export"])))
    module: dict = {}
    exec(source, module)
    assert module["x"] == 1
    assert source.decode().splitlines()[2] == "def f():"
    assert lines[3] == (1, 3)


def test_a_setup_call_is_kept():
    """`ffi.cdef(...)` is no display; a compiled solution needs it."""
    source, _ = extract(notebook(("ffi = make()\nffi.cdef('int f();')", ["export"])))
    assert b"ffi.cdef" in source


def test_a_syntax_error_passes_through_to_where_it_can_be_explained():
    """The guest's import names cell and line."""
    source, lines = extract(notebook(("def f(:\n  pass", ["export"])))
    assert b"def f(:" in source
    assert lines[1] == (1, 1)


@pytest.mark.parametrize(
    "raw,problem",
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "format is not 4"),
        (notebook(nbformat=3), "format is not 4"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 4, "cells": [1]}', "no list of cells"),
        (notebook(("x = 1", [])), "no cell of the notebook is marked"),
        (b"[" * 100_000, "levels deep"),
        (b'{"nbformat": 4, "a": ' + b'{"a":' * 100 + b"1" + b"}" * 101, "levels deep"),
        (json.dumps({"nbformat": 4, "cells": [{"id": "a"}, {"id": "a"}]}).encode(), "same id"),
        (json.dumps({"nbformat": 4, "cells": [{}] * 3000}).encode(), "cells, more than"),
        (
            json.dumps({"nbformat": 4, "cells": [{"metadata": {"nbgrader": {"grade_id": "q"}}}] * 2}).encode(),
            "nbgrader id",
        ),
    ],
)
def test_a_broken_notebook_is_refused_with_a_sentence(raw, problem):
    """Never a traceback, never a hang."""
    with pytest.raises(SubmissionError, match=problem):
        extract(raw)


@pytest.mark.parametrize(
    "cell", [{"source": 7}, {"source": [1, None]}, {"metadata": 3}, {"metadata": {"tags": "export"}}, {"cell_type": []}]
)
def test_odd_cells_are_not_believed(cell):
    """Fields of the wrong type are as if they were empty."""
    whole = {"nbformat": 4, "cells": [cell, {"cell_type": "code", "metadata": {"tags": ["export"]}, "source": "x = 1"}]}
    assert extract(json.dumps(whole).encode())[0] == b"x = 1\n"
