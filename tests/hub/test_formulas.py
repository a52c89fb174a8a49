"""Formulas in feedback: typeset without the network, and harmless whatever a student wrote between two dollars."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest

from hub.nbgrader_plugins.formulas import MOST, FeedbackExporter, mathml

from .work import COURSE

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # nbconvert's own


def page(*cells: str) -> str:
    """The body of a feedback page."""
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(c) for c in cells])
    return str(FeedbackExporter(template_name="classic").from_notebook_node(nb)[0])


NESTED = "\\sideset{}{}{" * 30 + "x" + "}" * 30
MACROS = "".join(
    "\\def\\q" + chr(97 + i) + "{" + ("xx" if i == 0 else ("{\\q" + chr(96 + i) + "}") * 2) + "}" for i in range(26)
)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "bomb", [NESTED, MACROS + "\\qz", "\\newcommand{\\a}{x}\\a"], ids=["sideset", "macros", "newcommand"]
)
def test_a_formula_that_would_grow_without_end_stays_as_it_was_written(bomb: str) -> None:
    """A few hundred characters, 2^30 nodes; duels of the machine would wait meanwhile."""
    assert len(bomb) < MOST
    assert mathml(bomb, "inline") == f"${bomb}$"
    assert mathml("\\definecolor x", "inline") and "<math" in mathml("\\frac{1}{2}", "inline")


@pytest.mark.timeout(20)
def test_a_text_cell_without_an_end_is_cut() -> None:
    """And says so."""
    from hub.nbgrader_plugins import disarm

    cell = nbformat.v4.new_markdown_cell("[\n" * 400_000)
    nb = nbformat.v4.new_notebook(cells=[cell])
    disarm.notebook(nb)
    assert len(nb.cells[0].source) < 2 * disarm.MOST and nb.cells[0].source.endswith(disarm.CUT)


def test_every_formula_of_the_course_is_typeset() -> None:
    """No dollar is left in the text, and nothing is loaded from elsewhere."""
    for path in sorted(COURSE.glob("a*/*.ipynb")):
        cells = [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "markdown"]
        text = page(*("".join(c["source"]) for c in cells))
        assert text.count("<math ") > 5, path
        body = re.sub(r"<(code|pre|style|script).*?</\1>", "", text.partition("<body")[2], flags=re.DOTALL)
        assert "$" not in body and "\\frac" not in body, path
        assert "mathjax.js" not in text.lower() and "mathjax.hub" not in text.lower() and "mathjax/" not in text


@pytest.mark.parametrize(
    "formula",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{&lt;img src=x onerror=alert(1)&gt;}",
        r"\href{javascript:alert(1)}{x}",
        r"\mathrm{<b onclick=alert(1)>}",
        r"\style{position:fixed}{x} \class{evil}{y} \color{red;background:url(//x)}{z}",
        r"\begin{array}{<b>} a & b \end{array}",
        "{" * 2000,
        "x" * (MOST + 1),
        "",
        r"\frac{1}",
    ],
)
def test_nothing_of_a_formula_becomes_a_tag_or_a_link(formula: str) -> None:
    """Elements and attributes are MathML's own, or the formula stays text."""
    for display in ("inline", "block"):
        made = mathml(formula, display)
        tags = set(re.findall(r"</?([^\s>/]+)", made))
        assert all(t == "math" or (t.startswith("m") and t.isalnum()) for t in tags), made
        assert not re.search(r"<[^>]*\b(?:href|on\w+|style|class|src)\s*=", made), made


def test_code_keeps_its_dollars(tmp_path: Path) -> None:
    """Only formulas are formulas."""
    assert "$HOME and $PATH" in page("`$HOME and $PATH`")
