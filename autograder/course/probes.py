"""Submissions made by machine that must fail: nothing, zeros, ones, the input back, one precision lower."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from autograder.course.notebook import extract
from autograder.course.release import starter
from autograder.domain.assignment import Argument, Assignment, Dim, Function, Role, ValueType
from autograder.domain.submission import ENTRY, Submission, digest


def probes(assignment: Assignment, best: Path) -> Iterator[tuple[str, Submission]]:
    """Every probe with its name.

    Args:
        best: a solution, for the probe of lower precision.
    """
    raw = json.dumps(starter(assignment)).encode()
    source, lines = extract(raw)
    yield "the starter", _make("starter", {ENTRY: source}, lines)
    for name, fill in (("zeros", "np.zeros"), ("ones", "np.ones")):
        yield name, _make(name, {ENTRY: _constant(assignment, fill)})
    yield "the input back", _make("echo", {ENTRY: _echo(assignment)})
    if assignment.lower_precision:
        yield "one precision lower", _make("float32", {ENTRY: _lower(assignment), "best.py": best.read_bytes()})


def _make(name: str, files: dict[str, bytes], lines: dict[int, tuple[int, int]] | None = None) -> Submission:
    return Submission(f"probe: {name}", files, digest(files), lines or {})


def _header(function: Function) -> str:
    names = ", ".join(a.name if a.default is None else f"{a.name}={a.default!r}" for a in function.arguments)
    return f"def {function.name}({names}):\n"


def _length(dim: Dim, function: Function) -> str:
    """Python for an axis' length, from the arguments."""
    if not dim.name:
        return str(dim.offset)
    for argument in function.arguments:
        if argument.name == dim.name and argument.type.scalar == "int":
            return f"{argument.name} + {dim.offset}"
        for i, other in enumerate(argument.type.dims):
            if other.name == dim.name:
                return f"{argument.name}.shape[{i}] + {dim.offset - other.offset}"
    return "1"


def _value(kind: ValueType, function: Function, fill: str) -> str:
    if kind.scalar:
        return f"{kind.scalar}({fill}(()))"
    shape = "".join(f"{_length(d, function)}, " for d in kind.dims)
    return f"{fill}(({shape}), {kind.dtype!r})"


def _constant(assignment: Assignment, fill: str) -> bytes:
    parts = ["import numpy as np\n"]
    for f in assignment.functions:
        parts.append(_header(f))
        parts += [f"    {a.name}[...] = {fill}(())\n" for a in f.arguments if a.role is Role.OUT]
        values = ", ".join(_value(t, f, fill) for t in f.returns)
        parts.append(f"    return {values or None}\n")
    return "\n".join(parts).encode()


def _echo(assignment: Assignment) -> bytes:
    """Returns an input of the same type where there is one, else zeros."""
    parts = ["import numpy as np\n"]
    for f in assignment.functions:

        def like(kind: ValueType, f: Function = f) -> str:
            same: list[Argument] = [a for a in f.arguments if a.type == kind and a.role is Role.IN]
            return f"{same[0].name} * 1" if same else _value(kind, f, "np.zeros")

        parts.append(_header(f))
        parts += [f"    {a.name}[...] = 0\n" for a in f.arguments if a.role is Role.OUT]
        parts.append(f"    return {', '.join(map(like, f.returns)) or None}\n")
    return "\n".join(parts).encode()


def _lower(assignment: Assignment) -> bytes:
    """A right solution whose array inputs and outputs are rounded to float32 on the way."""
    parts = [
        "import numpy as np\nimport best\n\n"
        "def low(x):\n"
        "    if isinstance(x, np.ndarray) and x.dtype == np.float64:\n        return x.astype(np.float32).astype(np.float64)\n"
        "    return float(np.float32(x)) if isinstance(x, float) else x\n"
    ]
    for f in assignment.functions:
        names = ", ".join(f"{a.name}={a.name if a.role is Role.OUT else f'low({a.name})'}" for a in f.arguments)
        out = [f"    {a.name}[...] = low(np.array({a.name}))\n" for a in f.arguments if a.role is Role.OUT]
        parts += [_header(f), f"    result = best.{f.name}({names})\n", *out]
        parts.append("    return tuple(low(r) for r in result) if isinstance(result, tuple) else low(result)\n")
    return "\n".join(parts).encode()
