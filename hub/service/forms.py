"""What forms have in common."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from fastapi.responses import RedirectResponse

from hub.service.access import Desk


def line(form: Any, key: str, most: int) -> str:
    """A field without control characters and lone surrogates, which no database takes well."""
    text = str(form.get(key, "")).encode("utf-8", "replace").decode()
    return "".join(c for c in text if c.isprintable() or c == "\n").strip()[:most]


def back(desk: Desk, path: str) -> Response:
    """To a page of ours, after what was posted."""
    return RedirectResponse(desk.settings.prefix + path, status_code=303)
