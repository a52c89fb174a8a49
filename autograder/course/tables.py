"""TOML tables taken apart key by key: unknown keys, wrong types and missing ones are refused with file and key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from autograder.errors import CourseError

SLUG = re.compile(r"[a-z][a-z0-9_]{0,63}")  # of a folder: it stands in addresses and file names


def parsed(path: Path) -> dict[str, Any]:
    """The file as tables.

    Raises:
        CourseError: it cannot be read, or is not TOML.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise CourseError(str(path), f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CourseError(str(path), f"is not TOML: {error}") from error


class Tables:
    """What is left over of a table is unknown."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def refuse(self, key: str, problem: str) -> NoReturn:
        """Names file and key.

        Raises:
            CourseError: always.
        """
        raise CourseError(f"{self.path}: {key}", problem)

    def zone(self, name: str) -> ZoneInfo:
        """A time zone, of the key `timezone`."""
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of them is none
            self.refuse("timezone", f"{name!r} is no IANA time zone, such as Europe/Berlin or America/New_York")

    def take(
        self,
        table: Mapping[str, Any],
        where: str,
        allowed: Mapping[str, type | tuple[type, ...]],
        required: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        """The table, once every key is known and of its type, and none is missing."""
        for key, value in table.items():
            if key not in allowed:
                self.refuse(f"{where}{key}", f"unknown key; known here: {', '.join(sorted(allowed))}")
            kind = allowed[key]
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                names = kind.__name__ if isinstance(kind, type) else " or ".join(k.__name__ for k in kind)
                self.refuse(f"{where}{key}", f"must be {names}, not {type(value).__name__}")
        for key in required:
            if key not in table:
                self.refuse(f"{where}{key}", "is missing")
        return dict(table)
