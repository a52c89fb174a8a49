"""`showcase.toml`, the staff's file: the showcase's title, and who speaks when."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from autograder.course.tables import Tables, parsed

log = logging.getLogger("autograder.programme")


@dataclass(frozen=True, slots=True)
class Programme:
    """The day.

    Attributes:
        talks: slug → when its talk begins, in the order of the programme.
    """

    title: str
    place: str
    talks: dict[str, datetime]


def load_programme(path: Path, slugs: Collection[str], *, strict: bool = True) -> Programme:
    """Reads it.

    Args:
        slugs: of all projects; those that `order` leaves out speak behind the others, by name.
        strict: whether names of no project are refused; else they are left out, and logged: a team may change its title.

    Raises:
        CourseError: with the file and the key that are wrong.
    """
    tables = Tables(path)
    top, zone = _read(tables)
    order, given = top.get("order", []), top.get("pauses", {})
    for key, named in (("order", order), ("pauses", given)):
        for slug in (s for s in named if s not in slugs):
            said = f"{slug!r} is no project; there are {', '.join(sorted(slugs)) or 'none'}"
            if strict:
                tables.refuse(key, said)
            log.warning("%s: %s: %s", path, key, said)
    order, given = [s for s in order if s in slugs], {s: minutes for s, minutes in given.items() if s in slugs}
    pauses = tables.take(given, "pauses.", dict.fromkeys(slugs, int))
    if any(minutes < 0 for minutes in pauses.values()):
        tables.refuse("pauses", "are minutes behind a talk, and not negative")
    at, talks = datetime.combine(top["date"], top["begins"], zone), dict[str, datetime]()
    for slug in dict.fromkeys([*order, *sorted(slugs)]):
        talks[slug] = at
        at += timedelta(minutes=top["minutes"] + pauses.get(slug, 0))
    return Programme(top["title"], top.get("place", ""), talks)


def opens(path: Path) -> datetime:
    """The first minute of the day, in the course's time zone; whoever speaks on it.

    Raises:
        CourseError: with the file and the key that are wrong.
    """
    top, zone = _read(Tables(path))
    return datetime.combine(top["date"], time(), zone)


def _read(tables: Tables) -> tuple[dict[str, Any], ZoneInfo]:
    top = tables.take(
        parsed(tables.path), "",
        {"title": str, "place": str, "timezone": str, "date": date, "begins": time, "minutes": int, "order": list, "pauses": dict},
        ("title", "timezone", "date", "begins", "minutes"),
    )  # fmt: skip
    if not 1 <= top["minutes"] <= 240:
        tables.refuse("minutes", "of a talk are between 1 and 240")
    return top, tables.zone(top["timezone"])
