"""The command line.

Exit codes of `grade`: 0 a grade was reached, 2 usage, course or submission error, 3 the fault is ours. `check` exits 1 where
a check is missed by the student's fault.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import click

from autograder import __version__
from autograder.errors import AutograderError, CourseError, SubmissionError
from autograder.sandbox.children import SAFE_PATH

EXIT_MISSED, EXIT_INPUT, EXIT_OURS = 1, 2, 3

# name → module of this package that holds it, and what it is for; imported only when asked for, so that --help is quick
_COMMANDS = {
    "grade": ("grading", "Grade files, notebooks or folders of submissions: the whole verdict."),
    "check": ("grading", "Run an assignment's public checks here, not isolated."),
    "demo": ("demo", "Grade a sample class over the first assignments."),
    "course": ("course", "Assignments: list, validate, release, compare with the hardware."),
    "ledger": ("ledger", "Submissions, receipts and grades: state, audit, backup, restore."),
    "node": ("node", "This machine as a place where submissions are timed."),
    "regrade": ("regrading", "Grade every student's latest submission again."),
    "showcase": ("showcase", "Final projects: begin, check, measure, show."),
    "submit": ("remote", "Hand a file in; print the receipt, follow the verdict."),
    "try": ("remote", "Measure a file on the grading hardware before handing it in."),
    "verify-verdicts": ("campaign", "Measure the error rates of the decision rule on this machine."),
}


class _Lazy(click.Group):
    """Loads a command when it is named; other packages join by the entry point group `autograder.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS, *(e.name for e in entry_points(group="autograder.commands"))]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in _COMMANDS:
            module = import_module(f"autograder.cli.{_COMMANDS[name][0]}")
            attribute = "try_" if name == "try" else name.replace("-", "_")  # a keyword cannot name a function
            found: click.Command = getattr(module, attribute)
            return found
        for entry in entry_points(group="autograder.commands", name=name):
            command: click.Command = entry.load()
            return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        words = {name: help_ for name, (_, help_) in _COMMANDS.items()}
        for name in self.list_commands(ctx):
            if name not in words and (found := self.get_command(ctx, name)) is not None:
                words[name] = found.get_short_help_str(formatter.width)
        with formatter.section("Commands"):
            formatter.write_dl(list(words.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def cli() -> None:
    """Grades parallel-computing coursework: correctness checks, and duels against reference kernels, in containers."""


def main(run: Callable[..., Any] = cli) -> None:
    """The program: every error of ours becomes a sentence and an exit code, never a traceback."""
    warnings.showwarning = _warn
    os.environ[SAFE_PATH] = "1"  # for what libraries start for us: Dask's workers, processes that are spawned
    try:
        run(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_INPUT)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; nothing is left running", err=True)
        sys.exit(130)
    except (CourseError, SubmissionError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_INPUT)
    except AutograderError as error:
        click.echo(f"our fault: {error}", err=True)
        sys.exit(EXIT_OURS)
    except OSError as error:
        if error.filename is None:
            raise
        click.echo(f"error: {error.filename}: {error.strerror}", err=True)
        sys.exit(EXIT_INPUT)


def _warn(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, UserWarning):
        click.echo(f"warning: {message}", err=True)
