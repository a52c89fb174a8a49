"""Takes the teeth out of what a student wrote, before Formgrader and feedback show it as HTML.

nbconvert passes HTML in Markdown through, and Formgrader shows it in the TA's own Jupyter, where a script could act with
the TA's rights. A zero-width space after `<` leaves the text as it reads and makes it no tag; a link to anything but the
web, a mail address, an attachment or a plain name becomes text. Only the autograded copy is changed, never `submitted/`.
"""

from __future__ import annotations

import re

from nbformat import NotebookNode

GAP = "\u200b"
MOST = 200_000  # characters of one text cell; what follows is left out, because nbconvert's Markdown takes its time
ALL = 2_000_000  # of all text cells together
PICTURES = 24 << 20  # characters of attachments, each as often as it is shown, in all cells together
CUT = "\n\n(This cell is longer than feedback shows; the whole of it is in what was handed in.)"
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
# A file beside the notebook may be opened if no browser would run it: Formgrader serves what was handed in as it is.
_FILE = r"(?:[\w-]+/)*[\w-]+(?:\.(?i:png|jpe?g|gif|csv|txt|pdf))?"
_KNOWN = rf"(?:https?://|mailto:|attachment:|\#|{_FILE}(?=[\s)?\#]))"
_LINK = re.compile(rf"\]\((?!\s*{_KNOWN})")
_DEFINITION = re.compile(rf"\]:(?!\s*(?:{_KNOWN}|{_FILE}$))", re.MULTILINE)  # in quotes and lists, too, in linear time
_ATTACHMENT = re.compile(r"attachment:([^\s()<>\[\]\"']*)")
_PICTURES = ("image/png", "image/jpeg", "image/gif")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_AUTOLINK = re.compile(r"(?i)\b(javascript|vbscript|data)(\s*:)")


def text(source: str) -> str:
    """Markdown of a student's, as text that holds no tag and no dangerous link."""
    source = _TAG.sub(f"<{GAP}", source)
    source = _LINK.sub(f"]{GAP}(", source)
    source = _DEFINITION.sub(f"]{GAP}:", source)
    return _AUTOLINK.sub(rf"\1{GAP}\2", source)


def _attachments(cell: NotebookNode, left: int) -> int:
    """Pictures stay; a name without one, at which nbconvert would give up on the whole notebook, becomes text.

    Args:
        left: characters that the pictures from here on may take; nbconvert writes each as often as it is shown.

    Returns:
        What is left after this cell.
    """
    given = cell.get("attachments")
    bundles = given.items() if isinstance(given, dict) else ()
    kept = {
        name: NotebookNode({kind: data for kind, data in bundle.items() if kind in _PICTURES and isinstance(data, str)})
        for name, bundle in bundles
        if isinstance(bundle, dict)
    }
    kept = {name: bundle for name, bundle in kept.items() if bundle}
    cell.pop("attachments", None)
    if kept:
        cell["attachments"] = NotebookNode(kept)

    def shown(found: re.Match[str]) -> str:
        nonlocal left
        size = sum(map(len, kept.get(found[1], {}).values()))
        if found[1] not in kept or size > left:
            return f"attachment{GAP}:{found[1]}"
        left -= size
        return found[0]

    cell.source = _ATTACHMENT.sub(shown, cell.source)
    return left


def notebook(nb: NotebookNode) -> None:
    """Every cell that is not the teacher's, and the metadata that templates print."""
    text_left, pictures_left = ALL, PICTURES
    for number, cell in enumerate(nb.cells):
        if not _ID.fullmatch(str(cell.get("id", ""))):
            cell["id"] = f"cell-{number}"
        if cell.metadata.get("nbgrader", {}).get("locked"):
            continue
        kept = cell.metadata.get("nbgrader")
        cell.metadata = NotebookNode(nbgrader=kept) if kept else NotebookNode()
        if cell.cell_type != "code":
            pictures_left = _attachments(cell, pictures_left)
            most = min(MOST, text_left)
            text_left -= min(len(cell.source), most)
            cell.source = text(cell.source[:most]) + (CUT if len(cell.source) > most else "")
