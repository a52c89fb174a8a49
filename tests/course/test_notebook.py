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


def test_magics_and_displays_are_left_out_and_lines_keep_their_numbers():
    """What runs on its own does not run in the grader."""
    cell = "%matplotlib inline\n!ls\ndef f():\n    return 1\nf\nprint(f())\nplt.plot([1])\nif __name__ == '__main__':\n    1 / 0\nx = f()"
    source, lines = extract(notebook((cell, ["export"])))
    module: dict = {"__name__": "solution"}
    exec(source, module)
    assert module["x"] == 1
    assert source.decode().splitlines()[2] == "def f():"
    assert lines[3] == (1, 3)


@pytest.mark.parametrize(
    "cell",
    [
        "x = (\n    seed\n    * a\n    % m\n)",
        "mask = (\n    a\n    != seed\n)",
        'source = """\n!x;\n%d items\n"""',
        "x = 7 \\\n    % 4",
        "import math; x = math.pi",
        "kept = []\n[kept.append(n) for n in range(3)]",
        "# a note \\\nx = 1",
        "if __name__ == '__main__':\n    1 / 0\nelse:\n    x = 3",
    ],
)
@pytest.mark.parametrize("beside", ["", "%matplotlib inline\n", "!ls 'it\n%timeit -n 1 (\n"])
def test_python_is_never_taken_for_a_magic(cell, beside):
    """Whatever a line begins with, inside brackets and strings; with a magic in the same cell, and without."""
    source, _ = extract(notebook((beside + cell, ["export"])))
    found, wanted = ({"seed": 12, "a": 5, "m": 7, "__name__": "solution"} for _ in range(2))
    exec(source, found)
    exec(cell, wanted)
    assert {n: v for n, v in found.items() if n != "__builtins__" and not callable(v)}.keys() == {
        n: v for n, v in wanted.items() if n != "__builtins__" and not callable(v)
    }.keys()
    assert all(found[n] == wanted[n] for n in ("x", "mask", "source", "kept") if n in wanted)


def test_what_shares_a_line_with_a_display_stays():
    """Only the display goes."""
    cell = "LANES = 64; plt.figure(\n    3\n); N = 128; N\nname = 'é'; print(name); M = 2\nif N:\n    %time N\nK = 1"
    source, lines = extract(notebook((cell, ["export"])))
    module: dict = {}
    exec(source, module)
    assert (module["LANES"], module["N"], module["M"], module["name"]) == (64, 128, 2, "é")
    assert len(lines) == cell.count("\n") + 1 and b"plt" not in source and b"print" not in source


def test_displays_that_would_not_load_are_left_out():
    """`await` is for notebooks alone, and `display` is not there."""
    cell = "xs = [1]\nawait f()\n[print(x) for x in xs]\n[display(x) for x in xs]\n[x for x in xs]"
    source, _ = extract(notebook((cell, ["export"])))
    assert source.split() == b"xs = [1]".split()


@pytest.mark.parametrize("magic", ["%%time", "%%capture out", "\n%%prun -q"])
def test_a_timed_cell_defines_what_it_defines(magic):
    """As in Jupyter."""
    source, _ = extract(notebook((f"{magic}\ndef f():\n    return 1", ["export"])))
    assert b"def f()" in source and b"%" not in source


def test_a_cell_of_something_else_is_refused_by_its_number():
    """The student would read `missing-function` and not know why."""
    with pytest.raises(SubmissionError, match="cell 2 is marked for export and begins with %%cython"):
        extract(notebook(("x = 1", ["export"]), ("%%cython\ndef f(): pass", ["export"])))
    assert extract(notebook(("%%timeit\nf()", ["export"])))[0].strip() == b""


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
