"""Declared functions, as `assignment.toml` and `project.toml` write them: `"T: f8[ny,nx]"`, `"alpha: float = 1.0"`."""

from __future__ import annotations

import re
from typing import Any

from autograder.course.tables import Tables
from autograder.domain.assignment import Argument, Dim, Function, Role, ValueType

_ARGUMENT = re.compile(
    r"(?P<name>[A-Za-z_]\w*)\s*:\s*(?P<type>[^=]+?)(?P<out>\s+out)?(?P<dealt>\s+per rank)?\s*(?:=\s*(?P<default>\S+))?"
)
_ARRAY = re.compile(r"(?P<dtype>[fiu][1248]|b1)\[(?P<dims>[^\]]*)\]")
_DIM = re.compile(r"(?P<name>[A-Za-z_]\w*)?\s*(?P<offset>[+-]?\s*\d{1,12})?")
_DEFAULTS = {"true": True, "false": False}
_MOST = 500  # characters of one declaration; with single spaces only, the patterns above take no longer than their text


def _words(text: Any) -> str:
    """A declaration with single spaces, or nothing that matches: a team writes these, too."""
    return " ".join(text.split()) if isinstance(text, str) and len(text) <= _MOST else ""


class Signatures(Tables):
    """A file that declares functions."""

    def function(self, name: str, table: Any, where: str) -> Function:
        if not isinstance(table, dict) or not name.isidentifier():
            self.refuse(f"{where}{name}", "must be a table named by a Python identifier")
        parts = self.take(table, f"{where}{name}.", {"arguments": list, "returns": list}, ("arguments", "returns"))
        arguments = tuple(self.argument(text, f"{where}{name}.arguments") for text in parts["arguments"])
        if len({a.name for a in arguments}) < len(arguments):
            self.refuse(f"{where}{name}.arguments", "two arguments have the same name")
        returns = tuple(self.value_type(text, f"{where}{name}.returns") for text in parts["returns"])
        if not returns and not any(a.role is Role.OUT for a in arguments):
            self.refuse(f"{where}{name}.returns", "a function must return something or fill an `out` array")
        comms = [a for a in arguments if a.role is Role.COMM]
        if len(comms) > 1 or (comms and any(a.role is Role.CALLBACK for a in arguments)):
            self.refuse(f"{where}{name}.arguments", "one communicator at most, and no callback beside it")
        if not comms and any(a.dealt for a in arguments):
            self.refuse(f"{where}{name}.arguments", "`per rank` needs an argument of type comm")
        return Function(name, arguments, returns)

    def argument(self, text: Any, where: str) -> Argument:
        match = _ARGUMENT.fullmatch(_words(text))
        if match is None:
            self.refuse(where, f"{str(text)[:_MOST]!r} is not of the form 'name: type [out] [per rank] [= default]'")
        if match["type"] == "comm":
            return Argument(match["name"], ValueType("comm"), Role.COMM)
        if match["type"].startswith("callback "):
            return Argument(
                match["name"],
                ValueType("callback"),
                Role.CALLBACK,
                None,
                match["type"].removeprefix("callback ").strip(),
            )
        kind = self.value_type(match["type"], where)
        if match["out"] and kind.scalar:
            self.refuse(where, f"{text!r}: only an array can be filled in place")
        default: float | int | bool | None = None
        if match["default"] is not None:
            word = match["default"]
            try:
                default = _DEFAULTS[word] if word in _DEFAULTS else int(word) if kind.scalar == "int" else float(word)
            except ValueError:
                self.refuse(where, f"{text!r}: the default is not a number")
        role = Role.OUT if match["out"] else Role.IN
        return Argument(match["name"], kind, role, default, dealt=bool(match["dealt"]))

    def value_type(self, text: Any, where: str) -> ValueType:
        if text in ("float", "int", "bool"):
            return ValueType(text)
        match = _ARRAY.fullmatch(_words(text))
        if match is None:
            self.refuse(
                where, f"{str(text)[:_MOST]!r} is no type; write float, int, bool, or an array such as f8[ny,nx]"
            )
        dims = tuple(self.dim(d, where) for d in match["dims"].split(",")) if match["dims"].strip() else ()
        return ValueType("", match["dtype"], dims)

    def dim(self, text: str, where: str) -> Dim:
        match = _DIM.fullmatch(text.strip())
        if match is None or not text.strip():
            self.refuse(where, f"{text!r} is no axis; write a name, a number, or name+1")
        return Dim(match["name"] or "", int((match["offset"] or "0").replace(" ", "")))
