"""What a notebook's cells show when they are run after handing in: for people to look at, never for points."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

FORMAT = 1


@dataclass(frozen=True, slots=True)
class CellLimits:
    """Bounds on a run.

    Attributes:
        cell_s: seconds of one cell, not counting those in which the sandbox was frozen.
        total_s: seconds of all cells.
        text_bytes: most text of one cell.
        images, image_bytes: most pictures of one cell, and the largest.
        total_bytes: most of everything together; what comes later is not shown.
        side: most pixels along a picture's side.
    """

    cell_s: float = 30.0
    total_s: float = 90.0
    text_bytes: int = 32 << 10
    images: int = 4
    image_bytes: int = 512 << 10
    total_bytes: int = 8 << 20
    side: int = 4096

    @property
    def room(self) -> int:
        """Bytes of one cell's answer: pictures in base64, text in JSON's escapes."""
        return self.images * self.image_bytes * 4 // 3 + 6 * self.text_bytes + (64 << 10)


class End(StrEnum):
    """How a cell's run ended; the sentence stands under what it showed."""

    DONE = "done"
    TIME = "time"
    TOTAL = "total"
    DIED = "died"
    MEMORY = "memory"
    FULL = "full"
    NOT_RUN = "not-run"


_SENTENCES = {
    End.DONE: "",
    End.TIME: "This cell was stopped after {limits.cell_s:g} s, and the cells after it were not run.",
    End.TOTAL: "The time for all cells together, {limits.total_s:g} s, was used up here; the cells after it were not run.",
    End.DIED: "The kernel died in this cell, and the cells after it were not run.",
    End.MEMORY: "This cell used more memory than there is for it, and the cells after it were not run.",
    End.FULL: "What this cell shows is left out: the notebook's cells show too much together.",
    End.NOT_RUN: "This cell was not run.",
}
CUT = "Some output of this cell is left out: it was too long, or a picture too large."
CELLS_NOT_RUN = "The cells of this notebook were not run after it was handed in ({why}). Points do not depend on it."


def sentence(end: End, limits: CellLimits) -> str:
    """The words for people; none where nothing is to be said."""
    return _SENTENCES[end].format(limits=limits)


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell that may be run: its place among all cells of the notebook, and its text."""

    position: int
    source: str


@dataclass(frozen=True, slots=True)
class ShownCell:
    """What one cell showed.

    Attributes:
        position: its place among all cells of the notebook as it was handed in, from 0.
        sha256: of the text that was run; outputs belong to no other text.
        outputs: each `{"kind": "stream"|"text"|"error"|"image", …}`, cleaned.
        note: a sentence under them.
    """

    position: int
    sha256: str
    outputs: tuple[dict[str, str], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a whole notebook showed."""

    notebook: str
    cells: tuple[ShownCell, ...]
    wall_s: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """From what `to_json` made; anything else is a `ValueError`, `KeyError` or `TypeError`."""
        if value["format"] != FORMAT:
            raise ValueError(f"format {value['format']} of shown cells is not known")
        cells = tuple(
            ShownCell(int(c["position"]), str(c["sha256"]), tuple(dict(o) for o in c["outputs"]), str(c["note"]))
            for c in value["cells"]
        )
        return cls(str(value["notebook"]), cells, float(value["wall_s"]))
