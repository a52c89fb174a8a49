"""Cells of the tables that people open in a spreadsheet."""

from __future__ import annotations


def cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula.

    Source: OWASP, CSV Injection.
    """
    flat = "".join(c if c.isprintable() else " " for c in text)
    return f"'{flat}" if flat.lstrip()[:1] in ("=", "+", "-", "@") and flat else flat
