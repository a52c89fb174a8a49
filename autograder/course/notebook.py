"""From an nbgrader notebook to `solution.py`: the cells marked for export, nothing that runs on its own.

A cell is exported when it carries the tag `export` or begins with `# export`. In it, magics and shell escapes and displays
(`x`, `print(x)`, `plt.plot(x)`) are left out; `if __name__ == "__main__"` does not hold in a module anyway. Line numbers are
kept in a map, so that messages can speak of cells. A magic or an escape that is a part of a statement (`x = !ls`) is a mistake
of syntax, which the guest's import explains.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from autograder.errors import SubmissionError

_SHOWS = {"print", "display", "plt", "pprint", "help", "input", "time", "timeit", "pylab"}
# what students find in the place of a solution: in a function; in a class or a branch; and beside functions, where a raise
# would end the whole import
STUB = "raise NotImplementedError  # your code here"
STUB_IN_BLOCK = "pass  # your code here"
STUB_BESIDE = "# helpers and constants of your own, if you want any"
_RUNS_ITS_CELL = {"time", "capture", "prun"}  # cell magics whose cell defines what it defines without them
_DEFINES_NOTHING = {"timeit"}
# what hides brackets and percent signs, and the brackets themselves; a string that is not closed ends with its line
_TOKEN = re.compile(r"""#.*|\"{3}|'{3}|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|[\[\](){}]""")
_MARK = re.compile(r"#\s*\|?\s*export\b")
_MAX_CELLS = 2000
_MAX_DEPTH = 60
_MAX_BRACKETS = 200_000


def extract(raw: bytes, limit: int | None = None) -> tuple[bytes, dict[int, tuple[int, int]]]:
    """The module and its line map.

    Args:
        raw: the bytes of a `.ipynb` file.
        limit: characters of all exported cells, what is left out of them included: parsing takes a thousand bytes for each.

    Returns:
        Source of `solution.py`, and line (from 1) → (cell, line in cell), both from 1.

    Raises:
        SubmissionError: not a notebook that can be graded; the sentence is for the student.
    """
    lines: list[str] = []
    origin: dict[int, tuple[int, int]] = {}
    cells = _exported(parse(raw))
    size = sum(len(source) for _, source in cells)
    if limit is not None and size > limit:
        raise SubmissionError(f"the exported cells have {size} characters, more than {limit}")
    for number, source in cells:
        for index, line in enumerate(_keep(number, source).splitlines(), start=1):
            lines.append(line)
            origin[len(lines)] = (number, index)
    try:
        return ("\n".join(lines) + "\n").encode(), origin
    except UnicodeEncodeError as error:
        raise SubmissionError("an exported cell holds half a character (a lone surrogate)") from error


def parse(raw: bytes) -> list[dict[str, Any]]:
    """The cells of a notebook that can be graded.

    Raises:
        SubmissionError: it cannot; the sentence is for the student.
    """
    if raw.count(b"[") + raw.count(b"{") > _MAX_BRACKETS:
        raise SubmissionError(
            f"the notebook has more than {_MAX_BRACKETS} brackets; clear its outputs and save it again"
        )
    if depth(raw) > _MAX_DEPTH:
        raise SubmissionError(f"the notebook is nested more than {_MAX_DEPTH} levels deep")
    try:
        notebook = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise SubmissionError("the notebook is not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        raise SubmissionError(f"the notebook is not JSON: {error}") from error
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        raise SubmissionError("the notebook's format is not 4; open it in JupyterLab and save it again")
    cells = notebook.get("cells")
    if not isinstance(cells, list) or not all(isinstance(c, dict) for c in cells):
        raise SubmissionError("the notebook has no list of cells")
    if len(cells) > _MAX_CELLS:
        raise SubmissionError(f"the notebook has {len(cells)} cells, more than {_MAX_CELLS}")
    names = [c["id"] for c in cells if isinstance(c.get("id"), str)]
    if len(names) != len(set(names)):
        raise SubmissionError(
            "two cells of the notebook have the same id; a cell was copied by hand: delete one of the two"
        )
    grades = [i for c in cells if isinstance(i := metadata(c).get("nbgrader", {}), dict) and (i := i.get("grade_id"))]
    if len(grades) != len(set(map(str, grades))):
        raise SubmissionError(
            "two cells of the notebook have the same nbgrader id; a graded cell was copied: delete one of the two"
        )
    return cells


def depth(raw: bytes) -> int:
    """Deepest nesting of brackets outside strings; cheap, and safe before any parser sees the bytes."""
    deepest = level = 0
    # a string that nobody closes ends with the bytes: were the last quote needed, every inner one would start a search anew
    for token in re.finditer(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', raw, re.DOTALL):
        first = token[0][:1]
        if first in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif first in b"]}":
            level -= 1
    return deepest


def metadata(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell's, or none."""
    found = cell.get("metadata", {})
    return found if isinstance(found, dict) else {}


def text_of(cell: dict[str, Any]) -> str:
    """A cell's source, which may be one string or a list of lines."""
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(s for s in source if isinstance(s, str))
    return source if isinstance(source, str) else ""


def _exported(cells: list[dict[str, Any]]) -> list[tuple[int, str]]:
    chosen = []
    for number, cell in enumerate(cells, start=1):
        source = text_of(cell)
        tags = metadata(cell).get("tags", [])
        marked = (isinstance(tags, list) and "export" in tags) or _MARK.match(source)
        if cell.get("cell_type") == "code" and marked:
            chosen.append((number, source))
    if not chosen:
        raise SubmissionError(
            "no cell of the notebook is marked for export; keep the handout's solution cells, or begin a cell with the line `# export`"
        )
    return chosen


def _keep(number: int, source: str) -> str:
    """The cell without what would run on its own; every line keeps its number."""
    lines = source.splitlines()
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines and lines[first].startswith("%%"):
        magic = lines[first][2:].split()[0] if lines[first][2:].split() else ""
        if magic in _DEFINES_NOTHING:
            return "\n".join("" for _ in lines)
        if magic not in _RUNS_ITS_CELL:
            raise SubmissionError(
                f"cell {number} is marked for export and begins with %%{magic[:40]}: an exported cell holds Python; take that line out, or the mark"
            )
        lines[first] = ""
    tree = _parsed(lines)
    if tree is None:  # no Python yet: magics, or a mistake
        lines = _without_magics(lines)
        tree = _parsed(lines)
    if tree is None:
        return "\n".join(lines)  # the guest's import will say what and where
    for node in reversed(tree.body):
        if _runs_alone(node):
            _cut(lines, node)
    return "\n".join(lines)


def tree_of(source: str) -> ast.Module | None:
    """A cell as Python sees it, magics left out; every line keeps its number. None where it is no Python."""
    lines = source.splitlines()
    return _parsed(lines) or _parsed(_without_magics(lines))


def _parsed(lines: list[str]) -> ast.Module | None:
    try:
        return ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _without_magics(lines: list[str]) -> list[str]:
    """As IPython sees them: where a statement may begin, and in no string or bracket."""
    made, depth, quotes, goes_on, magic = list[str](), 0, "", False, False
    for line in lines:
        if magic or (not (depth or quotes or goes_on) and line.lstrip().startswith(("%", "!"))):
            indent = line[: len(line) - len(line.lstrip())]
            made.append(f"{indent}pass" if indent and not magic else "")
            magic = line.endswith("\\")
            continue
        made.append(line)
        at, word = 0, ""
        while at < len(line):
            if quotes:
                end = _closing(line, quotes, at)
                if end < 0:
                    break
                at, quotes = end, ""
                continue
            token = _TOKEN.search(line, at)
            if token is None:
                break
            at, word = token.end(), token[0]
            if word in ('"""', "'''"):
                quotes = word
            elif word in "([{":
                depth += 1
            elif word in ")]}":
                depth = max(depth - 1, 0)
        goes_on = not quotes and line.endswith("\\") and not word.startswith("#")
    return made


def _closing(line: str, quotes: str, at: int) -> int:
    """Behind the end of a string in three quotes, or -1: its line is not the last."""
    found = re.compile(rf"(?:[^\\]|\\.)*?{quotes}").match(line, at)
    return found.end() if found else -1


def _cut(lines: list[str], node: ast.stmt) -> None:
    """A statement becomes `pass`, where others share its lines; offsets are of UTF-8."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before = lines[first].encode()[: node.col_offset].decode()
    behind = lines[last].encode()[node.end_col_offset or 0 :].decode()
    alone = not before.strip() and (not behind.strip() or behind.lstrip().startswith("#"))
    for i in range(first, last + 1):
        lines[i] = ""
    if first == last:
        lines[first] = "" if alone else f"{before}pass{behind}"
    elif not alone:
        lines[first], lines[last] = f"{before}pass", f"pass{behind}"


def _runs_alone(node: ast.stmt) -> bool:
    """Displays: what has no effect but to be shown, and calls of what shows."""
    if not isinstance(node, ast.Expr):
        return False
    value = node.value
    if not isinstance(value, ast.Call):
        if isinstance(value, ast.ListComp | ast.SetComp):  # perhaps for what its calls do
            return _shows(value.elt) or not any(isinstance(n, ast.Call) for n in ast.walk(value))
        return not isinstance(value, ast.Constant) and not any(isinstance(n, ast.NamedExpr) for n in ast.walk(value))
    return _shows(value)


def _shows(value: ast.expr) -> bool:
    if not isinstance(value, ast.Call):
        return False
    called = value.func
    while isinstance(called, ast.Attribute):
        called = called.value
    return isinstance(called, ast.Name) and called.id in _SHOWS
