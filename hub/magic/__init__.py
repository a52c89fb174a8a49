"""`%autograde`: the public checks beside the code, or with `--remote` a try on the grading hardware.

Students' servers load it at start; elsewhere `%load_ext hub.magic`.
"""

from __future__ import annotations

from typing import Any

from hub.magic.autograde import autograde

__all__ = ["autograde", "load_ipython_extension"]


def load_ipython_extension(shell: Any) -> None:
    """IPython calls this for `%load_ext hub.magic`."""
    shell.register_magic_function(autograde, "line", "autograde")
