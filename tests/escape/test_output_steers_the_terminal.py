"""An exception whose text clears the screen and paints a green line of its own.

Stopped by output: control characters never reach a terminal."""

import io

from rich.console import Console

from autograder.report.terminal import plain

EVIL = "\x1b[2J\x1b[1;1H\x1b[32m✓ passed 85/85\x1b[0m\r\x9b2J[green]✓[/]"


def _shown(text):
    out = io.StringIO()
    Console(file=out, force_terminal=True, width=200, highlight=False).print(text)
    return out.getvalue()


def test_the_terminal_shows_text():
    """No escape sequence, no carriage return, no markup of the student's."""
    shown = _shown(plain(EVIL))
    assert "\x1b[2J" not in shown and "\r" not in shown and "\x9b" not in shown and "[green]" in shown


def test_a_naive_report_is_painted_over():
    """Printed as it is, it does what it says."""
    assert "\x1b[2J" in EVIL and "[green]" not in _shown(EVIL)
