"""Feedback whose formulas are MathML, made here: nbconvert's page would load MathJax from elsewhere to typeset them.

The library writes what stands in a formula into its answer as it is, tags and links of a student's included; so its tree
is taken, and only MathML's own elements with harmless attributes are written down, by a writer that escapes.
"""

from __future__ import annotations

import html
import re
from typing import Any
from xml.etree import ElementTree  # nothing is parsed with it

from jinja2 import pass_context
from latex2mathml.converter import convert_to_element
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

MOST = 4000  # characters of a formula that is typeset
# who defines macros, or doubles its arguments, makes 2^100 nodes of a few hundred characters; such a formula stays as written
_GROWS = re.compile(
    r"\\(?:(?:re)?newcommand|providecommand|def|gdef|edef|let|newenvironment|DeclareMathOperator|sideset)(?![A-Za-z])"
)
_BEGIN, _END = "<!-- Load mathjax -->", "<!-- End of mathjax configuration -->"
_ELEMENTS = frozenset(
    """
math menclose mfenced mfrac mi mmultiscripts mn mo mover mpadded mphantom mroot mrow ms mspace msqrt mstyle msub msubsup
msup mtable mtd mtext mtr munder munderover none mprescripts semantics
""".split()  # noqa: SIM905  # easier to read than one a line
)
_ATTRIBUTES = frozenset(
    """
accent accentunder close columnalign columnlines columnspacing depth display displaystyle fence form height largeop
linethickness lspace mathvariant maxsize minsize movablelimits notation open rowlines rowspacing rspace scriptlevel
separator separators stretchy symmetric voffset width
""".split()  # noqa: SIM905  # easier to read than one a line
)


def mathml(latex: str, display: str) -> str:
    """A formula as MathML, or as it was written where that cannot be done.

    Args:
        display: `inline` or `block`.
    """
    shown = f"$${latex}$$" if display == "block" else f"${latex}$"
    if len(latex) > MOST or _GROWS.search(latex):
        return html.escape(shown)
    try:
        tree = convert_to_element(latex, display=display)
        for element in tree.iter():
            if element.tag not in _ELEMENTS:
                return html.escape(shown)
            element.attrib = {k: v for k, v in element.attrib.items() if k in _ATTRIBUTES}
            element.text = html.unescape(element.text) if element.text else None  # the library names characters
        tree.set("xmlns", "http://www.w3.org/1998/Math/MathML")
        return ElementTree.tostring(tree, encoding="unicode")
    except Exception:  # noqa: BLE001  # whatever a student wrote between two dollars must not stop the feedback
        return html.escape(shown)


class Renderer(IPythonRenderer):
    """Markdown's formulas."""

    def block_math(self, body: str) -> str:
        """Displayed."""
        return mathml(body, "block")

    def inline_math(self, body: str) -> str:
        """In the line."""
        return mathml(body, "inline")

    def latex_environment(self, name: str, body: str) -> str:
        """`align` and its like."""
        return mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")


class FeedbackExporter(HTMLExporter):
    """nbgrader's feedback page, which needs nothing from elsewhere."""

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """As in nbconvert, with the other renderer."""
        resources, cell = context.get("resources", {}), context.get("cell", {})
        renderer = Renderer(
            escape=False,
            attachments=cell.get("attachments", {}),
            embed_images=self.embed_images,
            path=resources.get("metadata", {}).get("path", ""),
            anchor_link_text=self.anchor_link_text,
            exclude_anchor_links=self.exclude_anchor_links,
        )
        return str(MarkdownWithMath(renderer=renderer).render(source))

    def from_notebook_node(  # type: ignore[override]  # as HTMLExporter's own
        self, nb: Any, resources: Any = None, **more: Any
    ) -> tuple[str, Any]:
        """The page without the script; in the head, nothing of a student's stands before it."""
        page, resources = super().from_notebook_node(nb, resources, **more)
        before, found, rest = page.partition(_BEGIN)
        return (before + rest.partition(_END)[2] if found else page), resources
