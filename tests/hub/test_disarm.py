"""What a student writes is shown to staff as text: nothing of it acts in their browser."""

from __future__ import annotations

from html.parser import HTMLParser

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter

from hub.nbgrader_plugins import disarm

pytestmark = pytest.mark.filterwarnings("ignore")  # nbconvert's own

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</div><iframe srcdoc='<script>alert(1)</script>'>",
    "[click](javascript:alert(1))",
    "[click]( JaVaScRiPt:alert(1))",
    "[click](java&#115;cript:alert(1))",
    "[click](<javascript:alert(1)>)",
    "[click][x]\n\n[x]: javascript:alert(1)",
    "[click][x]\n\n[x]: &#106;avascript:alert(1)",
    "> [click][x]\n>\n> [x]: java&#115;cript:alert(1)",
    "10. [click][x]\n\n    [x]: java&#115;cript:alert(1)",
    "[click][x\\]y]\n\n[x\\]y]: java&#115;cript:alert(1)",
    "[the plots](plot.html)",
    "[the plots](plot.svg)",
    "[the plots](../../plot.html)",
    "[the plots][x]\n\n[x]: plot.xhtml",
    "<javascript:alert(1)>",
    "![x](data:text/html,<script>alert(1)</script>)",
    "<!-- --><a href='javascript:alert(1)'>x</a>",
    "$$<script>alert(1)</script>$$",
]


def shown(source: str, kind: str = "markdown") -> str:
    """The HTML that Formgrader makes of a cell."""
    make = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_raw_cell
    cell = make(source, id="answer", metadata={"raw_mimetype": "text/html", "tags": ["x onclick=alert(1)"]})
    nb = nbformat.v4.new_notebook(cells=[cell], metadata={"title": "</title><script>alert(1)</script>"})
    disarm.notebook(nb)
    body, _ = HTMLExporter(template_name="basic").from_notebook_node(nb)
    return str(body)


class Elements(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps it."""
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("source", ATTACKS)
def test_nothing_acts(source: str) -> None:
    """No element of the student's survives, no handler, no link with a script in it."""
    for kind in ("markdown", "raw"):
        for tag, attributes in Elements(shown(source, kind)).found:
            assert tag not in ("script", "iframe", "svg", "object", "embed", "form", "style", "base")
            assert not any(name.startswith("on") or name == "srcdoc" for name in attributes)
            for name in ("href", "src"):
                where = (attributes.get(name) or "").strip().lower()
                assert where.split(":")[0] in ("", "https", "#answer") or where.startswith("#"), where


def test_ordinary_answers_read_as_before() -> None:
    """Comparisons, code, mathematics, links and lists stay."""
    html = shown(
        "- `a<b` and $r < 1/4$\n- [page](https://example.org/a)\n- **bold**\n\n> quoted\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    )
    assert "<strong>bold</strong>" in html and 'href="https://example.org/a"' in html
    assert "<blockquote>" in html and "<table>" in html and "<li>" in html


def test_pictures_stay_and_nothing_is_missed() -> None:
    """Files that no browser runs may be named; an attachment that is not there is text, not the end of the feedback."""
    assert 'src="figures/heat-1.png"' in shown("![heat](figures/heat-1.png)")

    def page(given: object) -> str:
        cell = nbformat.v4.new_markdown_cell("![x](attachment:a.png)", id="answer")
        nb = nbformat.v4.new_notebook(cells=[cell])
        if given is not None:
            nb.cells[0]["attachments"] = given
        disarm.notebook(nb)
        return str(HTMLExporter(template_name="basic").from_notebook_node(nb)[0])

    for given in (
        None,
        [],
        {"a.png": {}},
        {"a.png": "x"},
        {"b.png": {"image/png": "aGk="}},
        {"a.png": {"text/html": "<b>"}},
    ):
        assert "attachment" in page(given) and "src=" not in page(given)
    assert 'src="data:image/png;base64,aGk="' in page({"a.png": {"image/png": "aGk="}})


def test_all_cells_together_are_bounded() -> None:
    """Many long texts, and one picture that is shown again and again: nbconvert would write it each time."""
    cells = [nbformat.v4.new_markdown_cell("x" * disarm.MOST, id=f"c{n}") for n in range(12)]
    size = disarm.PICTURES // 3 - 100
    pictures = nbformat.v4.new_markdown_cell("![x](attachment:a.png)\n" * 5, id="p")
    pictures["attachments"] = {"a.png": {"image/png": "A" * size}}
    nb = nbformat.v4.new_notebook(cells=[pictures, *cells])
    disarm.notebook(nb)
    assert (
        nb.cells[0].source.count("attachment:a.png") == 3 and nb.cells[0].source.count(f"attachment{disarm.GAP}:") == 2
    )
    texts = [c.source.removesuffix(disarm.CUT) for c in nb.cells]
    assert sum(map(len, texts)) <= disarm.ALL + 10 and nb.cells[-1].source == disarm.CUT
    assert nb.cells[1].source == "x" * disarm.MOST


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "part", ["[\n", "]:", "]: ", "[a]:\n", "](", "](  ", "](a.", "]:a&", "[a\\", "[]:\n> ", "<", "data "]
)
def test_no_text_takes_long(part: str) -> None:
    """A cell of many beginnings without an end is read in a time that grows with its length, not with its square."""
    source = (part * disarm.MOST)[: disarm.MOST]
    assert disarm.text(source).replace(disarm.GAP, "") == source
