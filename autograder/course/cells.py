"""A notebook's cells for showing: which are run, and what of a sandbox's answer is kept.

Everything that comes back was written by a student: it is read under limits, and what is kept is text without control
characters, and PNG pictures rebuilt from their necessary chunks. No HTML, no script, no SVG, no metadata.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from pathlib import PurePosixPath
from typing import Any

from autograder.course.intake import unpack
from autograder.course.notebook import depth, metadata, parse, text_of
from autograder.domain.shown import Cell, CellLimits, End
from autograder.errors import SubmissionError

# would grade inside of a grading; a line at a time, so that a million empty lines cost one pass
_MAGIC = re.compile(r"^[^\S\n]*(?:%{1,2}autograde\b|![^\n]*\bautograder\b)", re.MULTILINE)
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
_MAX_DEPTH = 8
_MAX_POINTS = 4 << 20  # a picture of two kilobytes may ask a browser for gigabytes
_PNG = b"\x89PNG\r\n\x1a\n"
_NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


def choose(name: str, content: bytes, slug: str, limit_kb: int) -> tuple[str, list[Cell], dict[str, bytes]]:
    """What of a submission is run.

    Returns:
        The notebook's name (empty where there is none), its cells to run in order, and the files beside it.

    Raises:
        SubmissionError: as at intake.
    """
    files = unpack(name, content, limit_kb)
    notebooks = [n for n in files if n.endswith(".ipynb")]
    wanted = f"{slug}.ipynb"
    found = wanted if wanted in notebooks else notebooks[0] if len(notebooks) == 1 else ""
    beside = {n: c for n, c in files.items() if n not in notebooks}
    return (PurePosixPath(found).name, runnable(files[found]), beside) if found else ("", [], beside)


def runnable(raw: bytes) -> list[Cell]:
    """Code cells without points of their own. Cells that hold criteria, or tests of nbgrader's, are never run."""
    cells = []
    for position, cell in enumerate(parse(raw)):
        source = text_of(cell)
        about = metadata(cell).get("nbgrader")
        about = about if isinstance(about, dict) else {}
        test = (about.get("grade") and not about.get("solution")) or str(about.get("grade_id")).startswith("criterion-")
        if cell.get("cell_type") == "code" and source.strip() and not test and not _MAGIC.search(source):
            cells.append(Cell(position, source))
    return cells


def clean(raw: bytes, limits: CellLimits) -> tuple[End, bool, tuple[dict[str, str], ...]]:
    """One cell's answer, as it may be shown.

    Returns:
        How it ended, whether something is missing, and the outputs.

    Raises:
        SubmissionError: it is not an answer.
    """
    if len(raw) > limits.room or depth(raw) > _MAX_DEPTH:
        raise SubmissionError("a cell's answer is too long, or nested too deeply")
    try:
        answer = json.loads(raw.decode("utf-8"))
        end, cut, outputs = End(answer["end"]), bool(answer["cut"]), answer["outputs"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SubmissionError("a cell's answer is not what it should be") from error
    kept: list[dict[str, str]] = []
    left, images = limits.text_bytes, limits.images
    for output in outputs if isinstance(outputs, list) else ():
        shown = _one(output, limits, left) if isinstance(output, dict) else None
        images -= shown is not None and shown["kind"] == "image"
        if shown is None or images < 0 or left <= 0:
            cut = True
            continue
        left -= sum(len(v) for k, v in shown.items() if k != "png") + 1
        kept.append(shown)
    return end, cut, tuple(kept)


def _one(output: dict[str, Any], limits: CellLimits, left: int) -> dict[str, str] | None:
    match output.get("kind"):
        case "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            return {"kind": "stream", "name": name, "text": plain(output.get("text"), left)}
        case "text":
            return {"kind": "text", "text": plain(output.get("text"), left)}
        case "error":
            name, value = plain(output.get("ename"), 200) or "Error", plain(output.get("evalue"), 2000)
            return {"kind": "error", "ename": name, "evalue": value, "traceback": plain(output.get("traceback"), left)}
        case "image":
            picture = png(output.get("png"), limits)
            return {"kind": "image", "png": picture} if picture else None
    return None


def plain(text: Any, most: int) -> str:
    """Text as a terminal would show it in the end: no escapes, nothing invisible, overwritten lines gone."""
    if not isinstance(text, str):
        return ""
    text = _ESCAPE.sub("", text.replace("\r\n", "\n"))
    lines = (line.rpartition("\r")[2] for line in text.split("\n"))
    return "".join(c if c in "\n\t" or c.isprintable() else " " if c.isspace() else "" for c in "\n".join(lines))[:most]


def png(encoded: Any, limits: CellLimits) -> str:
    """A picture rebuilt from its necessary chunks, in base64; empty if it is none, or too large."""
    if not isinstance(encoded, str) or len(encoded) > limits.image_bytes * 4 // 3 + 4:
        return ""
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return ""
    if not data.startswith(_PNG):
        return ""
    parts, position = [_PNG], len(_PNG)
    names: list[bytes] = []
    while position + 12 <= len(data) and names[-1:] != [b"IEND"]:
        size = int.from_bytes(data[position : position + 4], "big")
        name, body = data[position + 4 : position + 8], data[position + 8 : position + 8 + size]
        if len(body) != size:
            return ""
        if name in _NEEDED:
            names.append(name)
            parts += [len(body).to_bytes(4, "big"), name, body, zlib.crc32(name + body).to_bytes(4, "big")]
            if len(names) == 1 and not _sane(name, body, limits.side):
                return ""
        position += 12 + size
    if names[-1:] != [b"IEND"] or b"IDAT" not in names or names.count(b"IHDR") != 1:
        return ""
    return base64.b64encode(b"".join(parts)).decode("ascii")


def _sane(name: bytes, body: bytes, side: int) -> bool:
    """A header with sides that a browser can hold."""
    width, height = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
    held = 0 < width <= side and 0 < height <= side and width * height <= _MAX_POINTS
    return name == b"IHDR" and len(body) == 13 and held
