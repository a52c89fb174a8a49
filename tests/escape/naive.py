"""An intake and a report as they are written in a hurry: what the attacks on ours must be able to hurt."""

from __future__ import annotations

import csv
import io
import json
import re
import tarfile
import zipfile
from itertools import accumulate
from pathlib import Path
from typing import Any


def unpack(path: Path, into: Path) -> dict[str, bytes]:
    """Unpacks to disk, trusting names, kinds and sizes; then reads whatever is there, following links."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                target = into / entry.filename  # zipfile.extract would clean the name; many copies of this loop do not
                target.parent.mkdir(parents=True, exist_ok=True)
                if entry.external_attr >> 28 == 0o12:
                    target.symlink_to(archive.read(entry).decode())
                else:
                    target.write_bytes(archive.read(entry))
    else:
        with tarfile.open(path) as archive:
            for entry in archive.getmembers():
                target = into / entry.name
                target.parent.mkdir(parents=True, exist_ok=True)
                entry._link_target = str(into / entry.linkname)  # type: ignore[attr-defined]  # so does extractall
                archive._extract_member(entry, str(target), set_attrs=False)  # type: ignore[attr-defined]  # as extractall did until 3.12
    return {str(p.relative_to(into)): p.read_bytes() for p in sorted(into.rglob("*")) if p.is_file()}


def cells(raw: bytes) -> str:
    """Every code cell, joined: magics, experiments and all."""
    return "\n".join("".join(c["source"]) for c in json.loads(raw)["cells"] if c["cell_type"] == "code")


def html(name: str, sentence: str) -> str:
    """A page by string formatting."""
    return f"<h1>{name}</h1><p>{sentence}</p>"


def table(rows: list[dict[str, Any]]) -> str:
    """CSV as the module writes it."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def depth(raw: bytes) -> int:
    """Deepest nesting outside strings; a string is what ends with a quote."""
    tokens = re.findall(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', raw)
    return max(accumulate(1 if t in b"[{" else -1 if t in b"]}" else 0 for t in tokens), default=0)


def declaration(text: str) -> bool:
    """Whether it has the form `name: type [out] = default`, by one pattern on whatever stands there."""
    return bool(re.fullmatch(r"(\w+)\s*:\s*([^=]+?)(\s+out)?(\s+per rank)?\s*(?:=\s*(\S+))?", text))
