"""Python processes of ours, started in whatever folder somebody stands: it may be full of what students handed in.

`python -c` and `python -m` put the current directory first on the module path, and so do `multiprocessing`'s helpers: a
submission called `pickle.py` would be imported beside the judge, with the rights of whoever grades.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ONE = threading.Lock()
SAFE_PATH = "PYTHONSAFEPATH"  # "do not prepend a potentially unsafe path to sys.path"; Python 3.11


@contextmanager
def safe_path() -> Iterator[None]:
    """What is started inside imports nothing from the current directory."""
    with _ONE:
        before = os.environ.get(SAFE_PATH)
        os.environ[SAFE_PATH] = "1"
        try:
            yield
        finally:
            if before is None:
                del os.environ[SAFE_PATH]
            else:
                os.environ[SAFE_PATH] = before
