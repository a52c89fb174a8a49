"""Templates: everything that people wrote is escaped, everything that a page needs is ours."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from hub.service.identity import csrf_token
from hub.service.wording import STATES, VERDICT_MARKS

HERE = Path(__file__).parent


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"moment": moment, "local": local, "number": number, "state": STATES.__getitem__, "plain": plain}
    made.globals |= {"mark": lambda verdict: VERDICT_MARKS.get(verdict, ("✗", "student"))}
    return made


def fragment(template: str, **context: Any) -> str:
    """A piece of a page."""
    return _templates().get_template(template).render(**context)


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page, with the visitor and the form token where there is a visitor."""
    desk = request.app.state.desk
    person = getattr(request.state, "person", None)
    text = fragment(
        template,
        root=desk.settings.prefix,
        course=desk.settings.course,
        person=person,
        csrf=csrf_token(request.state.session) if person is not None else "",
        here=request.url.path,
        shows=person is not None and desk.shows(person),
        **context,
    )
    return HTMLResponse(text, status)


def moment(when: datetime | None) -> str:
    """A time as people read it, with its zone."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if when else "–"


def local(when: datetime) -> str:
    """A deadline in the course's own zone."""
    return f"{when:%a %Y-%m-%d %H:%M %Z}"


def number(value: float | None) -> str:
    """Points and speedups without trailing zeros."""
    return f"{value:.4g}" if value is not None and math.isfinite(value) else "–"


def plain(text: str) -> str:
    """Without what a terminal would obey and without characters that turn the reading direction."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)
